"""From what a rule found to who is told of it: one stage a file, each a pure function that gives its reason."""
