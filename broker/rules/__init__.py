"""From rules.yaml to the rules that a caption meets."""
