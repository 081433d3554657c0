"""Two-card control 两卡管控: openings of accounts and SIM cards, and the verification desk."""
