"""Starts `wordcam-train`, as the installed command and as `python -m trainer`."""

from foundation import program


def console() -> None:
    """Run the command and leave with its exit code."""
    program.run("wordcam-train", "trainer.cli", extra="trainer")


if __name__ == "__main__":
    console()
