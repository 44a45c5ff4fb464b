"""A real Home Assistant, installed from its package: run by `make test-home-assistant`."""
