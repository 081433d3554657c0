"""The web process: webhooks of the telephone network, prompts as sound, health, and pages for people."""
