"""Backup and restore: the file, the rows, and the actions."""
