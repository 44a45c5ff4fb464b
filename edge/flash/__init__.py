"""`wordcam-edge flash`: a device's card, from an image and an invitation."""
