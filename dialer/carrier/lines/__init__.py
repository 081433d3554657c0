"""The lines behind the REST front: how a phone is rung, spoken to and listened to."""
