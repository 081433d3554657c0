"""Outcomes and their figures: ledger, filed cases, rates, reports, bulletins; outgoing webhooks."""
