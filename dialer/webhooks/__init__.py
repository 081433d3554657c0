"""Outgoing webhooks: other systems are told of settled cases, missed high grades and filed cases."""
