"""The answers that the link of a notification offers, as buttons of ntfy and as labelled links for all else."""

import base64
import re
from typing import Final

from broker.config.section import Language
from broker.notify.message import texts

_link: Final = re.compile(r" (https?://\S+/a/[0-9]{1,18}-[A-Za-z0-9_-]{11})$")
"""The link stands at the end of a text, and a caption holds none; see `broker.notify.links`."""

_hangul: Final = re.compile("[가-힣]")

NTFY: Final = ("going", "over", "false")
"""Buttons of ntfy, which shows three; a tap on the notification itself opens the page with all of them."""


def parted(text: str) -> tuple[str, str]:
    """Return a text without its link, and the link; "" where it has none."""
    found = _link.search(text)
    return (text, "") if found is None else (text[: found.start()], found[1])


def lines(text: str, link: str) -> str:
    """Return one labelled link a line: each opens the page, which asks for a tap before it answers."""
    return "\n".join(f"{label}: {link}/{answer}" for answer, label in _labels(text).items())


def ntfy_actions(text: str, link: str) -> str:
    """Return the header `X-Actions` of ntfy, encoded as RFC 2047 has it: a button answers without opening anything.

    Source: https://docs.ntfy.sh/publish/#action-buttons
    """
    labels = _labels(text)
    actions = "; ".join(f"http, {labels[answer]}, {link}/{answer}, method=POST, clear=true" for answer in NTFY)
    return f"=?UTF-8?B?{base64.b64encode(actions.encode()).decode()}?="


def _labels(text: str) -> dict[str, str]:
    language: Language = "ko" if _hangul.search(text) else "en"
    return texts.of(language).answers
