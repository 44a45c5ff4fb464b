"""What the trainer raises, by who can correct it."""

from foundation.errors import Misconfigured


class OperatorError(Misconfigured):
    """A file, a field or a folder that the user can correct; says which and how."""


class DataError(OperatorError):
    """Images, captions or boxes are not as their format says."""


class RecipeError(OperatorError):
    """The recipe names something that does not exist or has the wrong type."""


class CheckpointError(OperatorError):
    """A checkpoint, feature cache or export belongs to another recipe."""


class Stopped(Exception):
    """The process was asked to end; what it did so far is saved."""


def first_line(error: Exception) -> str:
    """Return the first line of what Keras says; the others list every layer."""
    return str(error).partition("\n")[0]
