"""The stages of a training, one module for each."""
