"""People's work: assignments, the desk, visits, transfers, stop-payment requests."""
