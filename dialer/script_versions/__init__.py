"""Versions of scripts: approved, rendered as sound, compared in trials; their pages."""
