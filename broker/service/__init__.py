"""Builds the service, supervises its workers and elects a leader."""
