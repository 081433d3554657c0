"""Knowledge cards 知识库: what callers read beside a call, by fraud type; versions, approval, search, use, figures."""
