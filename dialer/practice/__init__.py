"""Practice 实训: calls with simulated people at the real desk, and what each attempt is worth. Never a real line."""
