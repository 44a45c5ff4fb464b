"""The image of a card: built, flashed, booted in an emulator, and broken. `make test-image` runs what takes minutes."""
