"""Warnings: the lists and API deliveries that bring them, and what they become."""
