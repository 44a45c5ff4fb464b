"""The process with the camera; it never imports a network."""
