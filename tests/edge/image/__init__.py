"""Building the image, as far as it takes seconds."""
