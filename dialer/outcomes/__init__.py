"""What came of it in figures: ledger, filed cases, rates, report."""
