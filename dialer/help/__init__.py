"""The manual: one chapter for each kind of user, in both languages, and the paragraph about each page."""
