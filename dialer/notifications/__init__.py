"""How people on duty are told of work: their own rules, what is due to whom, and the channels that carry it."""
