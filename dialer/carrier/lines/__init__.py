"""The lines behind the REST front: how a phone is called, spoken to and listened to."""
