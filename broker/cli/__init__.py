"""The verbs of `wordcam-broker`, one module for each group."""
