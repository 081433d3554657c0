"""The page of one case: its timeline, the reason for its next step, acts on it."""
