"""The web process: webhooks, console, REST API and health under one application."""
