"""METEOR 1.5 (Denkowski and Lavie 2014), run by Java from the archive that pycocoevalcap brings."""

import shutil
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen
from typing import Final

from trainer.metrics.grams import References, Tokens, check_pairs

LANGUAGE: Final = "en"
"""The one language whose paraphrases and stems the archive holds."""

ARCHIVE: Final = "meteor-1.5.jar"
HEAP: Final = "-Xmx2G"
"""Memory for the paraphrase table, as coco-caption gives it."""


class LeftOut(Exception):
    """METEOR cannot be measured here; the message says why."""


def meteor(candidates: Sequence[Tokens], references: Sequence[References], language: str = LANGUAGE) -> float:
    """Return the corpus METEOR, 0 to 1, of tokens of a language; 0 for no image.

    Raises `LeftOut` where the language is not English, Java or pycocoevalcap is absent, or Java fails; `ValueError`
    where the two differ in length, or an image has no reference.
    """
    check_pairs(candidates, references)
    if language != LANGUAGE:
        raise LeftOut(f"METEOR is left out: pycocoevalcap brings it for English, not for {language!r}")
    if shutil.which("java") is None:
        raise LeftOut("METEOR is left out: there is no `java` here")
    archive = _archive()
    return _score(archive, candidates, references) if candidates else 0.0


def _archive() -> Path:
    package = find_spec("pycocoevalcap")
    folders = (package.submodule_search_locations if package else None) or []
    for folder in folders:
        if (path := Path(folder) / "meteor" / ARCHIVE).is_file():
            return path
    raise LeftOut("METEOR is left out: install wordcam[meteor]")


def _score(archive: Path, candidates: Sequence[Tokens], references: Sequence[References]) -> float:
    """Speak METEOR's line protocol: SCORE counts one image, EVAL scores each and then all."""
    command = ["java", HEAP, "-jar", str(archive), "-", "-", "-stdio", "-l", LANGUAGE, "-norm"]
    try:
        with Popen(command, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, text=True, encoding="utf-8") as java:
            pairs = zip(candidates, references, strict=True)
            counts = [_ask(java, "SCORE", *map(_line, refs), _line(candidate)) for candidate, refs in pairs]
            scores = [_ask(java, "EVAL", *counts), *(_read(java) for _ in candidates)]
            return float(scores[-1])
    except (OSError, ValueError) as error:
        raise LeftOut(f"METEOR is left out: Java ended early; it needs 2 GB of memory ({error})") from error


def _line(tokens: Tokens) -> str:
    return " ".join(" ".join(tokens).replace("|||", " ").split())


def _ask(java: Popen[str], *fields: str) -> str:
    assert java.stdin is not None  # noqa: S101 - a pipe was asked for
    java.stdin.write(" ||| ".join(fields) + "\n")
    java.stdin.flush()
    return _read(java)


def _read(java: Popen[str]) -> str:
    assert java.stdout is not None  # noqa: S101 - a pipe was asked for
    if line := java.stdout.readline():
        return line.strip()
    raise OSError("no answer")
