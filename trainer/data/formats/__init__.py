"""Reads images with captions or boxes from the formats they come in, one file a format, record by record."""
