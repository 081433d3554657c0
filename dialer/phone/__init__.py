"""A telephone in the browser for the simulated line."""
