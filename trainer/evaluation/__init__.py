"""Scores models and writes reports."""
