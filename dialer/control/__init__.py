"""Operating the service: alarms, health, consistency, live board, control page, metrics."""
