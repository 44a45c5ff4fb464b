"""The control room's console, and the REST API beside it: the one door to the web framework."""
