"""The verb `wordcam-broker translate`: translates sentences into Korean, as notifications do."""

import argparse
import json
from collections.abc import Iterable, Iterator

import msgspec

from broker.cli import config_path
from broker.cli.input_file import text_lines
from broker.config import broker as config_file
from broker.config.errors import Misconfigured
from broker.notify.translation.offline import OfflineTranslator
from broker.ports import NoMetrics, Translator
from broker.service import factory


class _Line(msgspec.Struct):
    """What the JSON lines of `wordcam-edge caption --json` and of captions have in common."""

    text: str


def run(arguments: argparse.Namespace) -> int:
    """Print sentences with their translations; raises `Misconfigured`."""
    translator: Translator = OfflineTranslator()
    if not arguments.offline:
        config = config_file.load(config_path.found(arguments.config))
        translator = factory.translator(config, None, NoMetrics())
    with text_lines(arguments.file) as lines:
        for sentence in sentences(lines, origin=arguments.file):
            said = translator.translate(sentence, source="en", target="ko")
            pair = {"text": sentence, "translated": None if said == sentence else said}
            print(json.dumps(pair, ensure_ascii=False) if arguments.json else f"{sentence}\t{said}")
    return 0


def sentences(lines: Iterable[str], *, origin: str) -> Iterator[str]:
    """Return the sentences of a file: plain lines, or JSON objects with `text`; raises `Misconfigured`."""
    for number, line in enumerate(lines, start=1):
        text = line.strip()
        if text.startswith("{"):
            try:
                yield msgspec.json.decode(text, type=_Line).text
            except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
                raise Misconfigured(f'{origin}:{number}: {error}; write a sentence, or {{"text": ...}}') from error
        elif text:
            yield text
