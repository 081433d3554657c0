"""One case as people see it: timeline, reason for the next step, acts, the case page, search."""
