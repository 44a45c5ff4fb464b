"""Cameras: one file for each kind, all doing what `edge.ports.Camera` asks."""
