"""The networks and how they are searched, exported and read back."""
