"""Oversight of units 督办: the record of each unit by month."""
