"""Target lists: bytes to rows to records or rejects. Pure."""
