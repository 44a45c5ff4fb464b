"""Bench: what one captioned frame costs on this device."""
