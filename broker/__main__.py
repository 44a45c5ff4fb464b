"""Starts `wordcam-broker`, as the installed command and as `python -m broker`."""

from foundation import program


def console() -> None:
    """Run the command and leave with its exit code."""
    program.run("wordcam-broker", "broker.cli.main", extra="broker")


if __name__ == "__main__":
    console()
