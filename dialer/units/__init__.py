"""The organisation tree: import, what waits in each unit, unassigned cases."""
