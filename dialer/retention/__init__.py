"""How long data is kept: deletion after a time, erasure of a person, what a restore must erase again."""
