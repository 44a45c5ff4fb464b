"""Which model each device should run: the signed repository of packages, and whom a package is offered to."""
