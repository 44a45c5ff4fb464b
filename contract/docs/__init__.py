"""The documentation and the JSON Schemas that are generated from the contract."""
