"""The API of other systems, version 1: POST /warnings, GET /cases/{id}, GET /report."""
