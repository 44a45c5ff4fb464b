"""Measures the device's time for each frame against reference models."""
