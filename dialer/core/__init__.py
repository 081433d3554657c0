"""Pure: cases, attempts, decisions, events, effects, policy, access, money, errors. No clock, no I/O."""
