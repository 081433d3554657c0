"""Cases and persons: rows, locks, effects, alarms, search, timeline, erasure."""
