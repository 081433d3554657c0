"""A whole service in trouble: all of it killed, stopped and cut off at random, and nobody lost or rung twice."""
