"""What every program stands on: strict YAML files, secrets, log lines, terminals, and errors with an exit code."""
