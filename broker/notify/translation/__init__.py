"""Translators, one file each."""
