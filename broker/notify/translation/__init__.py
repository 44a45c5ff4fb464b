"""Ways to put a sentence into another language, one file each."""
