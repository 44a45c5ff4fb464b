"""Captions on disk until the server acknowledges them."""
