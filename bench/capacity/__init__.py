"""Measures how much memory and disk a size of data or site needs."""
