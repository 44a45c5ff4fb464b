"""Both catalogues say everything, with the same gaps to fill, and nothing that nobody asks for."""

import re
import string
from collections.abc import Iterable
from pathlib import Path

import pytest

from broker.config.section import SEVERITIES
from broker.incidents.incident import EventKind, State
from broker.ingest.rollout.stages import State as Rollout
from broker.notify.notifications import Kind
from broker.notify.notifications import State as Sent
from broker.store.outcome import Outcome
from broker.web import texts
from broker.web.accounts.account import Role
from contract.update import Progress, Reason

WEB = Path(texts.__file__).resolve().parents[1]

GROUPS: dict[str, Iterable[str]] = {
    "severity": SEVERITIES,
    "state": State,
    "outcome": Outcome,
    "happening": EventKind,
    "message": Sent,
    "kind": Kind,
    "role": Role,
    "update": Progress,
    "update_reason": Reason,
    "rollout": Rollout,
    "how": ("sms", "link", "console", "terminal"),
}
"""Groups that are asked for by a value of the domain."""


def _gaps(words: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(words) if name}


def test_both_languages_have_the_same_keys() -> None:
    assert set(texts.of("en").said) == set(texts.of("ko").said)


def test_every_text_has_the_same_gaps_in_both_languages() -> None:
    english, korean = texts.of("en").said, texts.of("ko").said

    assert {key for key in english if _gaps(english[key]) != _gaps(korean[key])} == set()
    assert all(words.strip() for words in (*english.values(), *korean.values()))


def test_what_the_pages_ask_for_is_there() -> None:
    asked = set()
    for path in (*WEB.rglob("*.html"), *WEB.rglob("*.py")):
        source = path.read_text(encoding="utf-8")
        asked |= set(re.findall(r"""(?:\bt|said)\(\s*["']([a-z_]+\.[a-z_0-9]+)["'][,)]""", source))

    assert len(asked) > 100
    assert asked - set(texts.of("en").said) == set()


@pytest.mark.parametrize("group", GROUPS)
def test_every_value_of_the_domain_has_words(group: str) -> None:
    said = texts.of("ko").said

    assert [str(value) for value in GROUPS[group] if f"{group}.{value}" not in said] == []


def test_every_action_of_the_audit_log_has_words() -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in WEB.rglob("*.py"))
    actions = set(re.findall(r"""\bnote\(connection, "([a-z-]+)\"""", source))

    assert actions
    assert {action for action in actions if f"action.{action}" not in texts.of("en").said} == set()
