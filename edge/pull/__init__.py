"""The process with the network to its camera alone: frames in, pixels into memory that `look` reads."""
