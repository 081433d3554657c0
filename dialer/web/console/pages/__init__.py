"""One module a page, or a few that belong together; each has `pages`, and all are found by themselves."""
