"""The text of a notification, in each language."""
