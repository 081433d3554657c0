"""The demo: a sample list, simulated staff, an environment of its own."""
