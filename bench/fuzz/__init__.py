"""Throws bytes at everything that reads bytes from outside, and counts what is refused, and why."""
