"""The command line of `wordcam-broker`: its verbs and options. It imports nothing that a verb works with."""

import argparse
import typing
import unicodedata
from pathlib import Path
from typing import Final, Protocol

from broker.cli import config_path
from broker.config.section import Language
from broker.web.accounts.account import Role
from contract import release

LANGUAGES: Final[tuple[str, ...]] = typing.get_args(Language)

ANSWERS: Final = ("acknowledge", "resolve", "false-alarm")
"""What may be answered to an incident."""

ROOT_KEYS: Final = "where the root keys are: not on this server, but on a medium that is plugged in for this"


class _Verbs(Protocol):
    """The verbs of a command; argparse has no public type for it."""

    def add_parser(self, name: str, *, help: str, description: str) -> argparse.ArgumentParser: ...  # noqa: A002


def build() -> argparse.ArgumentParser:
    """Return the parser. What it reads holds `verb_name`, and `needs_config`: whether `config` has to exist."""
    parser = argparse.ArgumentParser(prog="wordcam-broker", description="Captions in, alerts out.")
    release.add_option(parser)
    parser.add_argument("-v", "--verbose", action="store_true", help="log more")
    verbs = parser.add_subparsers(required=True, metavar="VERB", dest="verb_name")
    _add_service(verbs)
    _add_models(verbs)
    _add_advisories(verbs)
    _add_devices(verbs)
    _add_terminal(verbs)
    _add_messages(verbs)
    _add_incidents(verbs)
    _add_absences(verbs)
    _add_data(verbs)
    _add_rules(verbs.add_parser("rules", help="try the rules"))
    _add_console(verbs)
    return parser


def _add(verbs: _Verbs, name: str, text: str, *, needs_config: bool = True) -> argparse.ArgumentParser:
    sub = verbs.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
    sub.add_argument("--config", type=Path, metavar="FILE", help=config_path.HELP)
    sub.set_defaults(needs_config=needs_config)
    return sub


def _add_service(verbs: _Verbs) -> None:
    init = _add(
        verbs, "init", "write a commented broker.yaml and rules.yaml, and say what comes next", needs_config=False
    )
    init.add_argument("--timezone", metavar="ZONE", help="of the messages: Asia/Seoul; default: this machine's")
    init.add_argument("--language", choices=LANGUAGES, help="of messages and terminal; default: this terminal's")
    init.add_argument("--server", default="127.0.0.1", metavar="HOST", help="the MQTT server (%(default)s)")
    init.add_argument("--force", action="store_true", help="replace files that are there")
    _add_enrolment(verbs)
    run = _add(verbs, "run", "receive captions, store them, and send notifications of danger")
    run.add_argument("--summary", type=Path, metavar="FILE", help="write what happened as JSON at the end")
    run.add_argument("--console", action="store_true", help="start the console beside it")
    _add(verbs, "check", "check the configuration and the rules, and start nothing")
    _add(verbs, "migrate", "bring the database to this version")
    leader = _add(verbs, "leader", "show which of several instances sends the notifications")
    leader.add_argument("--json", action="store_true", help="as one JSON object")


def _add_enrolment(verbs: _Verbs) -> None:
    setup = _add(
        verbs,
        "setup",
        "make a server with TLS: an authority, certificates, Mosquitto's files, broker.yaml and rules.yaml",
        needs_config=False,
    )
    setup.add_argument("host", metavar="HOST", help="name or address by which devices and people reach this machine")
    setup.add_argument("--also", action="append", default=[], metavar="HOST", help="another name or address of it")
    setup.add_argument("--mqtt-port", type=int, default=8883, metavar="PORT", help="of the MQTT server (%(default)s)")
    setup.add_argument("--console-port", type=int, default=8443, metavar="PORT", help="of the console (%(default)s)")
    setup.add_argument("--ntfy", metavar="TOPIC", help="notify by this topic of ntfy, which needs no contract")
    setup.add_argument("--timezone", metavar="ZONE", help="of the messages: Asia/Seoul; default: this machine's")
    setup.add_argument("--language", choices=LANGUAGES, help="of messages and terminal; default: this terminal's")
    enroll = _add(verbs, "enroll", "invite a device: write the file by which it gets its certificate")
    enroll.add_argument("--out", type=Path, metavar="FILE", help="default: SITE_DEVICE.enroll in this folder")
    revoke = _add(verbs, "revoke", "lock a device out: its certificate counts no more")
    for sub in (enroll, revoke):
        sub.add_argument("device", metavar="SITE/DEVICE", help="such as north-gate/pi-01")
    for sub in (setup, enroll, revoke):
        sub.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")


def _add_models(verbs: _Verbs) -> None:
    text = "publish models for devices, signed, and say which devices should run them"
    parser = verbs.add_parser("models", help=text, description=text[0].upper() + text[1:] + ".")
    subs = parser.add_subparsers(required=True, metavar="VERB", dest="models_verb")
    made = _add(subs, "init", "make the repository of models, and the keys that sign it")
    publish = _add(subs, "publish", "sign a bundle, put it into the repository, and offer it to some devices")
    publish.add_argument("bundle", type=Path, metavar="BUNDLE", help="folder of the bundle, with its manifest.json")
    offer = _add(subs, "offer", "offer a published model to more devices, or to others")
    withdraw = _add(subs, "withdraw", "offer a model to nobody any more, and take it off the signed list")
    listed = _add(subs, "list", "list models, to whom they are offered, and what devices say of them")
    listed.add_argument("--json", action="store_true", help="one JSON object a line")
    refresh = _add(subs, "refresh", "sign the timestamp anew, as the alert service does by itself")
    rotate = _add(subs, "rotate", "replace a key of the repository, because it is old or was stolen")
    rotate.add_argument("role", choices=("root", "targets", "snapshot", "timestamp"), help="whose key")
    for sub in (offer, withdraw):
        sub.add_argument("model", metavar="MODEL", help="such as wordcam-1@2.5.0")
    withdraw.add_argument("--because", default="", metavar="TEXT", help="why, for the console")
    for sub in (publish, offer, withdraw):
        sub.add_argument("--class", dest="device_class", default="standard", metavar="NAME", help="%(default)s")
    for sub in (publish, offer):
        sub.add_argument("--percent", type=float, default=10, metavar="N", help="of the devices (%(default)s)")
        sub.add_argument("--site", action="append", default=[], metavar="SITE", help="of this site alone; repeat it")
    for sub in (made, rotate):
        sub.add_argument("--root-keys", type=Path, required=True, metavar="FOLDER", help=ROOT_KEYS)
    refresh.add_argument("--root-keys", type=Path, metavar="FOLDER", help=f"sign the root anew, too; {ROOT_KEYS}")
    for sub in (made, publish, offer, withdraw, refresh, rotate):
        sub.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")


def _add_advisories(verbs: _Verbs) -> None:
    known = _add(verbs, "advisories", "name the devices that run a version with a known vulnerability")
    text = "an advisory in the OSV format, or a folder of them"
    known.add_argument("advisories", nargs="+", type=Path, metavar="FILE", help=text)
    text = "a bill of materials (CycloneDX) of a version, so that its libraries are compared too; repeat it"
    known.add_argument("--bill", action="append", default=[], type=Path, metavar="FILE", help=text)
    known.add_argument("--json", action="store_true", help="one JSON object a line")


def _add_devices(verbs: _Verbs) -> None:
    known = _add(verbs, "devices", "list the devices: health, cameras, and warnings")
    known.add_argument("--json", action="store_true", help="one JSON object a line")


def _add_terminal(verbs: _Verbs) -> None:
    watch = _add(verbs, "watch", "show captions as they come")
    watch.add_argument("--last", type=int, default=20, metavar="N", help="begin with the last N (default: %(default)s)")
    watch.add_argument("--once", action="store_true", help="show those and end")
    translate = _add(verbs, "translate", "translate sentences into Korean, as notifications do", needs_config=False)
    translate.add_argument(
        "file", metavar="FILE", help="one sentence a line, or JSON lines with `text`; - is standard input"
    )
    translate.add_argument("--offline", action="store_true", help="by the grammar that is built in, without a config")
    translate.add_argument("--json", action="store_true", help="one JSON object a line")


def _add_messages(verbs: _Verbs) -> None:
    test = _add(verbs, "send-test", "send a test message to everyone, or to one person")
    test.add_argument("--to", type=_composed, metavar="NAME", help="one recipient")
    dead = _add(verbs, "dead-letters", "list the notifications that were given up, or send them again")
    dead.add_argument("do", choices=("list", "resend"))
    dead.add_argument("numbers", nargs="*", type=int, metavar="NUMBER", help="which to send again")
    dead.add_argument("--all", action="store_true", help="send all of them again")
    dead.add_argument("--json", action="store_true", help="one JSON object a line")


def _add_incidents(verbs: _Verbs) -> None:
    seen = _add(verbs, "incidents", "list incidents, show one, or answer it")
    seen.add_argument("do", nargs="?", choices=("list", "show", *ANSWERS), default="list")
    seen.add_argument("number", nargs="?", type=int, metavar="N", help="of the incident")
    seen.add_argument("--all", action="store_true", help="list closed ones, too")
    seen.add_argument("--by", default=None, metavar="NAME", help="who answers; default: your login")
    silence = _add(verbs, "silence", "send no notifications of some dangers for a while")
    silence.add_argument("do", choices=("list", "add", "end"))
    silence.add_argument("what", nargs="*", metavar="WHAT", help="to add: site=a danger=smoke,fire; to end: its number")
    silence.add_argument("--minutes", type=float, default=60, metavar="N", help="for how long (default: %(default)s)")
    silence.add_argument("--reason", default="", metavar="TEXT", help="why, for those who miss a notification")
    silence.add_argument("--by", default=None, metavar="NAME", help="who; default: your login")


def _add_absences(verbs: _Verbs) -> None:
    away = _add(verbs, "away", "list who is away, set someone away until a time, or back")
    away.add_argument("name", nargs="?", type=_composed, metavar="NAME", help="of the recipient")
    away.add_argument("--until", metavar="TIME", help="2026-03-14 18:00, or 2026-03-14 for the whole of that day")
    away.add_argument("--because", default="", metavar="TEXT", help="why, for the console and the timeline")
    away.add_argument("--back", action="store_true", help="they are there again")


def _add_data(verbs: _Verbs) -> None:
    export = _add(verbs, "export", "write captions to a file, or to the terminal")
    export.add_argument("--format", choices=("csv", "jsonl"), default="csv", help="default: %(default)s")
    export.add_argument("--out", type=Path, metavar="FILE", help="default: standard output")
    forget = _add(verbs, "forget", "delete captions, or a telephone number; without --yes it only counts")
    for sub in (export, forget):
        sub.add_argument("--site", default="", help="of one site")
        sub.add_argument("--device", default="", help="of one device of the site")
        sub.add_argument("--from", dest="start", metavar="TIME", help="taken at 2026-03-13T22:00 or later")
        sub.add_argument("--to", dest="end", metavar="TIME", help="taken before that")
    forget.add_argument("--phone", metavar="NUMBER", help="instead: take this number out of old messages")
    forget.add_argument("--everything", action="store_true", help="all sites, all times")
    forget.add_argument("--yes", action="store_true", help="delete; it cannot be undone")
    forget.add_argument("--by", default=None, metavar="NAME", help="who asks; default: your login")


def _add_rules(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(required=True, metavar="VERB", dest="rules_verb")
    parser.set_defaults(needs_config=False)
    text = "show which rules would fire on sentences, which are cancelled, and why"
    test = verbs.add_parser("test", help=text, description=text[0].upper() + text[1:] + ".")
    test.add_argument(
        "file", nargs="?", metavar="FILE", help='JSON lines like {"text": "a fire burns"}; - is standard input'
    )
    test.add_argument("--history", action="store_true", help="in place of a file, the captions in the database")
    test.add_argument("--from", dest="start", metavar="TIME", help="2026-03-13T22:00; default: a day before --to")
    test.add_argument("--to", dest="end", metavar="TIME", help="default: now")
    test.add_argument("--all", action="store_true", help="show history's harmless sentences, too")
    test.add_argument("--config", type=Path, metavar="FILE", help=f"whose rules and history; {config_path.HELP}")
    test.add_argument("--rules", type=Path, metavar="FILE", help="default: those of the configuration")
    test.add_argument("--json", action="store_true", help="one JSON object a line")
    test.add_argument("--language", choices=LANGUAGES, default="en", help="of the answer")
    text = "name every mistake in the rules, with its line"
    check = verbs.add_parser("check", help=text, description=text[0].upper() + text[1:] + ".")
    check.add_argument("--rules", type=Path, metavar="FILE", help="default: those of the configuration")
    text = "also look for places and dangers that this configuration lacks"
    check.add_argument("--config", type=Path, metavar="FILE", help=text)


def _add_console(verbs: _Verbs) -> None:
    console = _add(verbs, "console", "serve the console's web pages and the REST API")
    console.add_argument("--port", type=int, help="in place of the configuration's; 0 is any free one")
    text = "make accounts for the console"
    user = verbs.add_parser("user", help=text, description=text[0].upper() + text[1:] + ".")
    users = user.add_subparsers(required=True, metavar="VERB", dest="user_verb")
    listed = _add(users, "list", "list the accounts")
    listed.add_argument("--json", action="store_true", help="one JSON object a line")
    made = _add(users, "add", "make an account; its password is asked for")
    made.add_argument("--role", choices=[role.value for role in Role], default=Role.GUARD.value)
    made.add_argument("--language", choices=LANGUAGES, default="en")
    invited = _add(users, "invite", "make an account, and print a link by which its owner sets the password")
    invited.add_argument("--role", choices=[role.value for role in Role], default=Role.GUARD.value)
    invited.add_argument("--language", choices=LANGUAGES, default="en")
    changed = _add(users, "password", "give an account another password, and log it out everywhere")
    token = _add(users, "token", "make a token for a program, and print it this once")
    token.add_argument("--label", default="command line", help="what it is for")
    token.add_argument("--days", type=int, default=90, help="how long it holds (default: %(default)s)")
    disabled = _add(users, "disable", "lock an account, and log it out everywhere")
    enabled = _add(users, "enable", "open a locked account again")
    for sub in (made, invited, changed, token, disabled, enabled):
        sub.add_argument("name", metavar="NAME")
    for sub in (made, changed):
        sub.add_argument("--password-file", metavar="FILE", help="a file that holds it alone; - is standard input")


def _composed(name: str) -> str:
    """Return a name in the form (NFC) in which configuration files are read."""
    return unicodedata.normalize("NFC", name)
