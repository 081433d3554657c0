"""Celery tasks: ids in, one action called."""
