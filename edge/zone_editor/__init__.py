"""The page on which zones and privacy masks are drawn over one still picture; it leaves this machine for no other."""
