"""The telephone in the browser, on which a person plays the person of a case on the simulated line."""
