"""What two services agree on: messages on the wire, and the model bundle on disk."""
