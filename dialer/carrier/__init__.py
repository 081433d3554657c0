"""A call server that speaks Twilio's protocol in front of a line. A leaf: it imports nothing else of `dialer`."""
