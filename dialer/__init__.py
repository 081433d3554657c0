"""Calls people who are being defrauded right now, and records the outcomes."""

__version__ = "0.1.0"
