"""Inspection of calls 话务质检: recorded calls as words with times, found mistakes with their seconds."""
