"""Teaches a bundle to write captions anew, by what its own encoder sees: decoder, phrases and named things."""
