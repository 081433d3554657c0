"""The counter and the verification desk 核查席: openings are checked, entered and asked about; daily files."""
