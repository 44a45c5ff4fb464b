"""Sends by anything that Apprise knows: e-mail, webhooks, Slack, Telegram and a hundred others."""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final

import apprise
from apprise import AppriseAsset, NotifyFormat, PersistentStoreMode
from apprise.plugins.ntfy import NotifyNtfy

from broker.config.errors import Misconfigured
from broker.notify.senders import answer_buttons
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
        said, link = answer_buttons.parted(text)
        try:
            service = self.service(to, answered=(said, link))
        except Misconfigured as error:
            raise Rejected(str(error)) from error
        title, _, body = said.partition("\n") if "\n" in said else (said[:60], "", said)
        body = plain(body)
        if link and not any(isinstance(one, NotifyNtfy) for one in service):
            body = f"{body}\n\n{answer_buttons.lines(said, link)}"
        lines: list[str] = []
        capture = apprise.LogCapture(level=logging.WARNING, fmt="%(message)s")  # type: ignore[no-untyped-call]  # theirs
        with capture as output:
            sent = service.notify(body=body, title=plain(title), body_format=NotifyFormat.TEXT)
            lines = output.getvalue().splitlines()
        if not sent:
            raise Doubtful(f"Apprise: {' '.join(lines)[:300] or 'not sent'}")
        return ""

    def find(self, to: str, text: str, *, since: datetime) -> Sequence[str]:  # noqa: ARG002 - the port's signature
        """Find nothing: the services cannot be asked."""
        return ()

    def service(self, name: str, *, answered: tuple[str, str] = ("", "")) -> apprise.Apprise:
        """Read a recipient's address; raises `Misconfigured` where Apprise cannot.

        `answered` is a text and its link, which become buttons where the service has such.
        """
        service = apprise.Apprise(asset=self._asset)
        address = self._address_of(name)
        if not service.add(_with_buttons(address, *answered) if answered[1] else address):
            raise Misconfigured(f"recipients: {name}: address_file: Apprise cannot read the address; write {EXAMPLES}")
        return service


def _with_buttons(address: str, text: str, link: str) -> str | dict[str, Any]:
    """Return an address of ntfy with a button for each answer; any other as it is."""
    if not address.lower().startswith(("ntfy://", "ntfys://")):
        return address
    parsed = NotifyNtfy.parse_url(address)  # type: ignore[no-untyped-call]  # theirs
    if not isinstance(parsed, dict):
        return address
    return parsed | {"actions": answer_buttons.ntfy_actions(text, link), "click": link}


def plain(text: str) -> str:
    """Replace signs that chats and mail programs interpret."""
    return text.translate(_MARKUP)
