"""What Twilio calls: reports of what became of a message, and replies."""
