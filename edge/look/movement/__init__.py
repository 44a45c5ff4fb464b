"""What several frames show and one does not: how people move, and whether someone who stood lies now."""
