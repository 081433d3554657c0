"""Who may act: rows of staff, passwords, second factors, sessions, signing in."""
