"""The key ring in use: a new key, values sealed again with it."""
