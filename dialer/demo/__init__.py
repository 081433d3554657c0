"""The whole service on a simulated line: its own servers, keys, carrier and folder, everything marked drill."""
