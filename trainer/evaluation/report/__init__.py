"""Shows what training came to: tables, curves, and images with what was said of them."""
