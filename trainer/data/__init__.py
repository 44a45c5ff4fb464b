"""Datasets: their formats, quality and examples."""
