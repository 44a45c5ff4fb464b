"""Starts `wordcam-convert`, as the installed command and as `python -m converter`."""

from foundation import program


def console() -> None:
    """Run the command and leave with its exit code."""
    program.run("wordcam-convert", "converter.cli", extra="converter")


if __name__ == "__main__":
    console()
