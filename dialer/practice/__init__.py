"""Practice 实训: calls and visits with invented people on the real pages, and their scores. Never a real line."""
