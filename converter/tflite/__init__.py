"""Writes TensorFlow Lite files from SavedModels."""
