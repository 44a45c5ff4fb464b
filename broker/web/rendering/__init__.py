"""Templates, charts and texts of the console."""
