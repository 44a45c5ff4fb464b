"""The pure decisions about incidents, one module for each."""
