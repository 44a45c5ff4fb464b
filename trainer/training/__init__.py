"""Feeds examples to models, step by step, and saves what they learn."""
