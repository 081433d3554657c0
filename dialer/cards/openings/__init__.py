"""What an institution opens: rows of openings and outlets, what is learned later, and what the checks say."""
