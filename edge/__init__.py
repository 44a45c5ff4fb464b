"""The device: a camera that sends words instead of video."""
