"""Call attempts: claim, pacing, placing, events, reconciliation, breaker, pauses, messages, the conversation."""
