"""What is wrong with a camera's picture: covered, dark, defocused, frozen, corrupt or moved."""
