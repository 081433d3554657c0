"""Determinations 惩戒 of an authority, which restrict a person, and objections to what was decided."""
