"""Rings people who are being defrauded right now, and keeps an honest book of what came of it."""

__version__ = "0.1.0"
