"""Which devices should report, and which do not."""
