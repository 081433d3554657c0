"""Outcomes and their figures: ledger, filed cases, rates, report."""
