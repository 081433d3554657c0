"""The API of other systems, version 1."""
