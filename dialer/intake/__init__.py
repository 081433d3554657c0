"""Target lists: bytes to rows to Accepted or Rejected. Pure; never saves, reads no clock."""
