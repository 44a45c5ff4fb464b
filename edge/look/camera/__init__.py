"""Cameras: one file for each kind, all doing what `edge.look.camera_port.Camera` asks."""
