"""A telephone in the browser, on the simulated line alone."""
