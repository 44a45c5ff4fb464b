"""What keeps a server from being started for a test or a measurement."""


class ServerUnavailable(RuntimeError):
    """A server could not be started; the message says why and what to do."""


class NotInstalled(ServerUnavailable):
    """The server's program is not on this machine; the message names the package."""


class DidNotStart(ServerUnavailable):
    """The server ended or did not listen in time; the message ends with its log."""
