"""The organisation: units, staff, sessions, tokens."""
