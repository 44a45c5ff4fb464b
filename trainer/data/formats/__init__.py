"""Readers of captions and boxes, one module a format; all read record by record."""
