"""From MQTT bytes to stored captions."""
