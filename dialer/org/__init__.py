"""The organisation: units, staff accounts, tokens and their pages."""
