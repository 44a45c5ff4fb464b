"""Users, passwords and sessions of the console."""
