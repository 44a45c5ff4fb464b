"""Integrations: what other systems on the same MQTT server are sent, derived from captions and status."""
