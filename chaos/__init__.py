"""Random faults against a whole service, whose processes and connections are killed, stopped and cut off."""
