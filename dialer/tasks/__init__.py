"""Thin Celery bodies: ids in, one use case called."""
