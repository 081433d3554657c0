"""The warning robot: typed signals, rules as data, and the graded verdicts that become warnings."""
