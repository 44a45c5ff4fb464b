"""The last bundle and the last configuration with which each process of the device worked, to fall back to."""
