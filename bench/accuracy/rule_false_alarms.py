"""False alarms of the shipped rules on peaceful sentences, against looking for danger words as substrings.

    python -m bench.accuracy.rule_false_alarms --captions captions.json [--json]

The file is COCO captions, or a bare list of {caption}.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
from rich.console import Console
from rich.table import Table

from bench.accuracy.alarms import RULES
from bench.device import commands

WORDS: Final = (
    "gun",
    "pistol",
    "rifle",
    "weapon",
    "knife",
    "knives",
    "sword",
    "scissors",
    "fire",
    "flame",
    "smoke",
    "fight",
    "punch",
    "fall",
    "lying on the",
)
"""What `word in sentence` looks for: the seed's knife, sword and scissors, and the dangers that the rules know."""

STEMS: Final = (
    "gun",
    "weapon",
    "knife",
    "knives",
    "fire",
    "smok",
    "fight",
    "falling",
    "fallen",
    "lying on",
    "laying on",
)
"""A shorter list, with the beginnings of words: it finds more of what lies on something."""

FEWEST: Final = ("gun", "knife", "knives", "fire", "smoke", "fight", "falling", "lying on the floor")
"""The shortest list that is still useful, chosen for few false alarms."""

LISTS: Final[Mapping[str, tuple[str, ...]]] = {"words": WORDS, "stems": STEMS, "fewest": FEWEST}


class Sentence(msgspec.Struct, frozen=True):
    """One caption."""

    caption: str


class File(msgspec.Struct, frozen=True):
    """A COCO caption file."""

    annotations: tuple[Sentence, ...]


def read(file: Path) -> list[str]:
    """Return the sentences of a file; raises `ValueError` naming what is wrong."""
    try:
        data = file.read_bytes()
        if data.lstrip()[:1] == b"[":
            sentences = msgspec.json.decode(data, type=tuple[Sentence, ...])
        else:
            sentences = msgspec.json.decode(data, type=File).annotations
    except OSError as error:
        raise ValueError(f"{file}: {error.strerror}") from error
    except msgspec.DecodeError as error:
        raise ValueError(f"{file}: {error}") from error
    if not sentences:
        raise ValueError(f"{file}: no captions")
    return [sentence.caption for sentence in sentences]


def substring_alarms(sentences: Sequence[str], words: Sequence[str] = WORDS) -> int:
    """Count sentences that hold a danger word, be it inside another word."""
    return sum(any(word in sentence.lower() for word in words) for sentence in sentences)


def compare(sentences: Sequence[str], rules: Path = RULES) -> dict[str, float]:
    """Count alarms of the rules and of each list of substrings, and the ratio to the list that has fewest.

    Raises `bench.device.commands.Failed`.
    """
    outcomes = commands.judged(rules, [{"text": " ".join(sentence.split())} for sentence in sentences])
    ours = sum(bool(outcome["fired"]) for outcome in outcomes)
    theirs = {name: substring_alarms(sentences, words) for name, words in LISTS.items()}
    fewest = min(theirs.values())
    return {"sentences": len(sentences), "rules": ours, **theirs, "ratio": fewest / max(1, ours)}


def table(found: Mapping[str, Any]) -> Table:
    """Show the counts, a way of finding danger a row."""
    title = f"False alarms on {found['sentences']} peaceful sentences"
    shown = Table(title=title, title_justify="left", title_style="bold")
    for column in ("found by", "alarms", "by the rules' (aim 20)"):
        shown.add_column(column, justify="left" if column == "found by" else "right")
    shown.add_row("shipped rules", str(found["rules"]), "")
    for name in LISTS:
        shown.add_row(f"substrings: {name}", str(found[name]), f"{found[name] / max(1, found['rules']):.1f}")
    return shown


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; give 0, or 78 for bad input."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.accuracy.rule_false_alarms", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--captions", type=Path, required=True, metavar="FILE", help="captions of everyday pictures")
    parser.add_argument("--rules", type=Path, default=RULES, metavar="FILE", help="rules of the server")
    parser.add_argument("--json", action="store_true", help="one JSON object in place of a table")
    options = parser.parse_args(argv)
    try:
        found = compare(read(options.captions), options.rules)
    except (ValueError, commands.Failed) as error:
        print(f"bench.accuracy.rule_false_alarms: {error}", file=sys.stderr)
        return 78
    if options.json:
        print(json.dumps(found))
    else:
        Console().print(table(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
