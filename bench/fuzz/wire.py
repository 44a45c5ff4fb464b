"""Decoders of what comes over the wire, and of what is said in it."""

import csv
import hashlib
import io
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import msgspec

from bench.accuracy.alarms import ROOT
from bench.fuzz.decoder import ACCEPTED, Decoder, Read, of_file, of_text, refusing
from broker.config import sites, time_interval
from broker.config.channels import e164, number_of
from broker.config.errors import Misconfigured
from broker.incidents import silence
from broker.ingest import decoder
from broker.ingest.decoder import Message
from broker.notify import reply_text
from broker.notify.message import segments
from broker.notify.translation.offline import OfflineTranslator
from broker.retention import export
from broker.rules import compiler, engine, replay
from broker.rules.engine import Seen
from broker.web import search_terms
from contract import ack, bundle, caption, examples, package, phrases, status, topics, update, vocabulary, wire
from contract.errors import Refused

SENTENCES: Final = tuple(
    text.encode()
    for text in (
        *("a man is holding a gun", "two men are fighting on the street", "no fire is burning", "a red fire hydrant"),
        *(
            "a person falls down the stairs, and people watch",
            "한 남자가 총을 들고 있습니다",
            "3 dogs' ball; (a knife)",
        ),
    )
)

REPLIES: Final = tuple(
    text.encode() for text in ("OK", "ok 17", "확인 #1", "3", "완료", "오보 2", "STOP", "네, 갑니다")
)
NUMBERS: Final = (b"+82 10 1234 5678", b"+1 202 555 0143", b"02-1234-5678", b"tel:+44-20-7946-0018;ext=3")
SPANS: Final = (b"22:00-07:00", b"mon-fri 08:00-17:30", b"sat-sun", b"\xed\x86\xa0,\xec\x9d\xbc 00:00-24:00")


def _message(name: str, read: Read, *messages: msgspec.Struct) -> Decoder:
    return Decoder(name, lambda: (read, [wire.encode(message) for message in messages]))


def _text(name: str, read: Read, seeds: Sequence[bytes], weight: int = 10) -> Decoder:
    return Decoder(name, lambda: (read, seeds), weight)


def _topic_and_payload(data: bytes) -> str:
    topic, _, payload = data.partition(b"\n")
    read = decoder.read(Message(topic.decode("utf-8", errors="replace"), payload))
    return read.reason if isinstance(read, decoder.Rejection) else ACCEPTED


def _intake() -> tuple[Read, Sequence[bytes]]:
    topic = topics.topic(examples.SITE, examples.DEVICE, "caption").encode()
    other = topics.topic(examples.SITE, examples.DEVICE, "status").encode()
    return _topic_and_payload, [
        topic + b"\n" + wire.encode(examples.CAPTION),
        other + b"\n" + wire.encode(examples.ONLINE),
        other + b"\n" + wire.encode(examples.LAST_WILL),
    ]


def _rules() -> tuple[Read, Sequence[bytes]]:
    """Judge a caption by the shipped rules, as the service does, wherever and whenever it was said."""
    book = compiler.load(ROOT / "config" / "rules.yaml")
    here = sites.Places.nameless("Asia/Seoul")

    def read(data: bytes) -> str:
        try:
            event = caption.decode(data)
        except Refused as refused:
            return refused.reason
        local = here.local(event.captured_at, event.site)
        engine.judge(book, Seen.of(event, zones=frozenset(), local=local))
        return ACCEPTED

    said = [msgspec.structs.replace(examples.CAPTION, text=text.decode()) for text in SENTENCES]
    return read, [wire.encode(event) for event in said]


def _lines() -> tuple[Read, Sequence[bytes]]:
    """Try rules on JSON lines, as `rules test` does."""
    book = compiler.load(ROOT / "config" / "rules.yaml")

    def read(text: str) -> object:
        return list(replay.Trial(book).run(text.splitlines(), origin="-"))

    lines = [b'{"text": "a fire burns", "hazards": {"fire": 0.9}}', b'{"text": "x"}\n' + wire.encode(examples.CAPTION)]
    return refusing(of_text(read), Misconfigured), lines


def _translation() -> tuple[Read, Sequence[bytes]]:
    grammar = OfflineTranslator()
    return refusing(of_text(lambda text: grammar.translate(text[:200], source="en", target="ko"))), SENTENCES


def _cell(text: str) -> None:
    """Write a cell, read it as a spreadsheet does, and hold that against what makes a formula."""
    file = io.StringIO()
    csv.writer(file).writerow([export.cell(text)])
    file.seek(0)
    shown = "".join("".join(row) for row in csv.reader(file))
    assert not shown.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")), "it is a formula"


def _terms(text: str) -> None:
    """Read a question, and make sure that nothing of it can end the quotes of the index's own language."""
    for term in search_terms.terms(text):
        assert not set(term.text) & set("\"'*():&|!<>\\ "), "a word could be a command"


def _manifest() -> tuple[Read, Sequence[bytes]]:
    def read(path: Path) -> object:
        return bundle.load(path.parent)

    return refusing(of_file(read, bundle.MANIFEST), Refused), [msgspec.json.encode(examples.MANIFEST)]


def _package() -> tuple[Read, Sequence[bytes]]:
    """Unpack a model's package, and make sure that nothing but its own files comes out of it."""

    def read(path: Path) -> object:
        with TemporaryDirectory(dir=path.parent) as folder:
            inner = Path(folder) / "inner"
            inner.mkdir()
            try:
                return package.unpack(path, inner)
            finally:
                assert [one.name for one in Path(folder).iterdir()] == ["inner"], "it wrote beside its folder"

    with TemporaryDirectory() as folder:
        text = b"word"
        listed = package.Listed("words.txt", hashlib.sha256(text).hexdigest(), len(text))
        (Path(folder) / "words.txt").write_bytes(text)
        manifest = package.Summary(1, "wordcam-1", "1.0.0", {"vocabulary": listed})
        (Path(folder) / package.MANIFEST).write_bytes(msgspec.json.encode(manifest))
        package.pack(Path(folder), Path(folder) / "package.tar")
        seed = (Path(folder) / "package.tar").read_bytes()
    return refusing(of_file(read, "package.tar"), Refused), [seed]


def _vocabulary() -> tuple[Read, Sequence[bytes]]:
    words = vocabulary.dump(vocabulary.of(("a", "man", "총", "을"))).encode()
    return refusing(of_file(vocabulary.load, "vocabulary.txt"), Refused), [words]


def _phrases() -> tuple[Read, Sequence[bytes]]:
    words = vocabulary.of(("a", "man", "총", "을"))
    text = phrases.dump({(4,): 0.5, (4, 5): 1.25, (6, 7): 3.0}, words).encode()
    return refusing(of_file(lambda path: phrases.load(path, words), "phrases.txt"), Refused), [text]


def _moment(data: bytes) -> str:
    """Say a moment by every clock that it may be shown by."""
    try:
        event = caption.decode(data)
    except Refused as refused:
        return refused.reason
    names = sites.Places.nameless("Asia/Seoul")
    names.local(event.captured_at, event.site)
    event.captured_at.astimezone(UTC).isoformat(timespec="seconds")
    assert event.captured_at.tzinfo is not None
    assert isinstance(event.captured_at, datetime)
    return ACCEPTED


DECODERS: Final = (
    _message("caption", refusing(lambda data: caption.decode(data, site=examples.SITE), Refused), examples.CAPTION),
    _message("status", refusing(status.decode, Refused), examples.ONLINE, examples.LAST_WILL),
    _message("ack", refusing(ack.decode, Refused), examples.ACK),
    _text("topic", refusing(of_text(topics.parse), Refused), (b"wordcam/v1/north-gate/pi-01/caption",)),
    Decoder("message", _intake),
    _message("moment", _moment, examples.CAPTION),
    Decoder("rules-on-caption", _rules, 4),
    Decoder("rules-test-line", _lines, 4),
    _message("update", refusing(update.decode, Refused), examples.OFFER),
    Decoder("bundle-manifest", _manifest, 4),
    Decoder("model-package", _package, 1),
    Decoder("vocabulary", _vocabulary, 4),
    Decoder("phrases", _phrases, 4),
    _text("sms-reply", refusing(of_text(reply_text.read)), REPLIES),
    _text("sms-text", refusing(of_text(segments.plain)), SENTENCES),
    _text("search-question", refusing(of_text(_terms)), SENTENCES),
    _text("phone-number", refusing(of_text(e164), ValueError), NUMBERS, 4),
    _text("phone-number-korea", refusing(of_text(lambda text: number_of(text, region="KR")), ValueError), NUMBERS, 4),
    _text("hours", refusing(of_text(time_interval.read), ValueError), SPANS),
    _text(
        "silence-matchers",
        refusing(of_text(lambda text: silence.read_matchers(text.split())), ValueError),
        (b"site=north-gate danger=smoke,fire", b"stream=cam-0"),
    ),
    Decoder("korean-grammar", _translation, 4),
    _text("csv-cell", refusing(of_text(_cell)), (*SENTENCES, b"=1+1", b" @SUM(A1)", b"\t-2")),
)
"""Messages of devices, and every reader of text that strangers or people type."""
