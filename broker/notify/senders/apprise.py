"""Sends by anything that Apprise knows: e-mail, webhooks, Slack, Telegram and a hundred others."""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

import apprise
from apprise import AppriseAsset, NotifyFormat, PersistentStoreMode

from broker.config.errors import Misconfigured
from broker.ports import Doubtful, Rejected

EXAMPLES: Final = "mailto://user:password@mail.example?to=guard@example.org, jsons://hooks.example/alerts"

_MARKUP: Final = str.maketrans({"<": "‹", ">": "›", "@": "＠", "`": "'"})
"""Signs by which a caption could call everybody in a chat, or hide a link; others look like them and do nothing."""


class AppriseSender:
    """Everyone who is reached by Apprise; their addresses hold secrets, and are named by the recipient's name.

    Nobody can be asked after a message, and Apprise only says that something failed. What may have been taken is
    sent again, and says so: at least once.
    """

    name = "apprise"
    askable = False

    def __init__(self, address_of: Callable[[str], str], *, timeout_seconds: float) -> None:
        self._address_of = address_of
        self._asset = AppriseAsset(
            app_id="wordcam",
            app_desc="wordcam",
            app_url="",
            async_mode=False,
            secure_logging=True,
            http_redirects=False,
            allow_templates=False,
            storage_mode=PersistentStoreMode.MEMORY,
            service_timeout=timeout_seconds,
        )
        self._timeout = timeout_seconds

    def send(self, to: str, text: str) -> str:
        """Hand over one message to the recipient named `to`; there is no id. Raises `SendFailed`."""
        try:
            service = self.service(to)
        except Misconfigured as error:
            raise Rejected(str(error)) from error
        title, _, body = text.partition("\n") if "\n" in text else (text[:60], "", text)
        lines: list[str] = []
        capture = apprise.LogCapture(level=logging.WARNING, fmt="%(message)s")  # type: ignore[no-untyped-call]  # theirs
        with capture as output:
            sent = service.notify(body=plain(body), title=plain(title), body_format=NotifyFormat.TEXT)
            lines = output.getvalue().splitlines()
        if not sent:
            raise Doubtful(f"Apprise: {' '.join(lines)[:300] or 'not sent'}")
        return ""

    def find(self, to: str, text: str, *, since: datetime) -> Sequence[str]:  # noqa: ARG002 - the port's signature
        """Find nothing: the services cannot be asked."""
        return ()

    def service(self, name: str) -> apprise.Apprise:
        """Read a recipient's address; raises `Misconfigured` where Apprise cannot."""
        service = apprise.Apprise(asset=self._asset)
        if not service.add(self._address_of(name)):
            raise Misconfigured(f"recipients: {name}: address_file: Apprise cannot read the address; write {EXAMPLES}")
        return service


def plain(text: str) -> str:
    """Replace signs that chats and mail programs interpret."""
    return text.translate(_MARKUP)
