"""Lists of warnings: bytes to rows to records or rejects. Pure."""
