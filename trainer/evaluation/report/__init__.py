"""Shows what training came to: tables, curves, and pictures with what was said of them."""
