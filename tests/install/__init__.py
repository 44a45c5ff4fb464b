"""Installation as users do it: every package fetched, on every Python that is supported."""
