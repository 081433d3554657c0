"""The client side of Twilio's protocol."""
