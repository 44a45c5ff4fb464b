"""Compares the int8 models with the float ones and with references."""
