"""The REST API, version 1: what programs may ask and do, with a token."""
