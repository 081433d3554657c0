"""Call scripts: model, dialogue, lint, versions, approval, rendered sound, trials."""
