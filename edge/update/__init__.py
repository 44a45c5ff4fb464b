"""Model updates: fetch a signed package and put its bundle in place. Belongs to the process that has the network."""
