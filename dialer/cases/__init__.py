"""Cases and persons: rows, locks, pending writes, effects, alarms."""
