"""Staff accounts: their pages, sign-in, first administrator, changes and what they end."""
