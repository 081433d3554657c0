"""What values are called and what happened, as sentences in both languages."""
