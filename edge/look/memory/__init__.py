"""What one camera remembers: evidence of each danger over frames, and its own calm over days. Numbers only."""
