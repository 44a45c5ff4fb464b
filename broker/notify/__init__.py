"""The queue of notifications and its way out."""
