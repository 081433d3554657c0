"""A call server that speaks Twilio's protocol in front of a line. It imports nothing of `dialer`."""
