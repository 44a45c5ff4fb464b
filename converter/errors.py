"""What stops a conversion."""

from foundation.errors import Misconfigured


class Unusable(Misconfigured):
    """A file that was given is not what it should be; the message names it and says what would be right."""
