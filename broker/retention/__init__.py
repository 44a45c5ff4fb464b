"""What expires, is erased or is exported."""
