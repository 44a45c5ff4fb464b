"""Integrations, mirrored."""
