"""Starts `wordcam-edge`, as the installed command and as `python -m edge`."""

from foundation import program


def console() -> None:
    """Run the command and leave with its exit code."""
    program.run("wordcam-edge", "edge.cli", extra="edge")


if __name__ == "__main__":
    console()
