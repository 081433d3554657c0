"""What waits for a second person: money, lists, scripts, changes of accounts, stop payments, doubtful filed cases."""
