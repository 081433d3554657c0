"""Calls people who are being defrauded right now, and records the outcomes."""

__version__ = "1.0.0"
