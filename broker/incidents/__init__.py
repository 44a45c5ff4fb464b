"""Opens, groups, escalates and resolves incidents."""
