"""The service's configuration files, read whole before anything starts."""
