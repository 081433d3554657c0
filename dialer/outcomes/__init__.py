"""Outcomes: the ledger, its evidence and approvals, cases filed with the police."""
