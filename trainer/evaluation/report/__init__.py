"""Reports of trained runs: tables, curves, and images with their captions."""
