"""Measures which pictures and films raise which alarm."""
