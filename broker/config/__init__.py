"""`broker.yaml`: structures, defaults and checks. Imports no feature of the service."""
