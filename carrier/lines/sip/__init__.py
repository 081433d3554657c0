"""A line of the centre's own: SIP trunks. `line` is the carrier's side, `stack` the process that speaks SIP."""
