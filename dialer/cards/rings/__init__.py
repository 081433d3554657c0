"""Rings and frequent openers 频繁开卡: found by the checks, and confirmed or lifted by a person."""
