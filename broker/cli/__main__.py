"""Run the command as a module: `python -m broker.cli`."""

from broker.cli.main import console

console()
