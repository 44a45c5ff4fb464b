"""Throws inputs at one decoder and keeps count: accepted, refused by reason, and every crash with what caused it."""

import hashlib
import random
import sys
import traceback
from collections import Counter
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, cast

from bench.accuracy.alarms import ROOT
from bench.fuzz import mutate
from bench.fuzz.decoder import ACCEPTED, Decoder, Read

KEPT: Final = 200
"""Inputs that are spoilt further, beside the good ones: an error hides behind another."""

FRESH: Final = 0.4
"""Share of Atheris' inputs that are made from a good one anew."""

try:
    import atheris
except ModuleNotFoundError:
    atheris = None

GUIDED: Final = atheris is not None
"""Whether Atheris is installed."""


@dataclass
class Tally:
    """What became of the inputs so far."""

    name: str
    folder: Path
    """Where the inputs that crash it are kept."""
    inputs: int = 0
    accepted: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    crashes: dict[str, str] = field(default_factory=dict)
    """The file with the first input of each crash, by the error and the line that raised it."""

    def count(self, read: Read, data: bytes) -> bool:
        """Throw one input; True where its verdict is one that was not seen before."""
        self.inputs += 1
        try:
            verdict = read(data)
        except Exception as error:  # noqa: BLE001 - which errors there are is what is asked
            return self._crashed(error, data)
        if verdict == ACCEPTED:
            self.accepted += 1
            return self.accepted <= KEPT
        self.refused[verdict] += 1
        return self.refused[verdict] == 1

    def _crashed(self, error: Exception, data: bytes) -> bool:
        frames = traceback.extract_tb(error.__traceback__)
        # Where a library gives way differs from input to input; the line of ours that called it does not.
        frame = next((one for one in reversed(frames) if _is_ours(one.filename)), frames[-1])
        what = f"{type(error).__name__} at {Path(frame.filename).name}:{frame.lineno}: {str(error)[:120]}"
        key = what.partition(": ")[0]
        if any(known.startswith(f"{key}: ") for known in self.crashes):
            return False
        self.folder.mkdir(parents=True, exist_ok=True)
        file = self.folder / f"{self.name}-{hashlib.sha256(data).hexdigest()[:12]}"
        file.write_bytes(data)
        file.with_suffix(".txt").write_text("".join(traceback.format_exception(error)), encoding="utf-8")
        self.crashes[what] = str(file)
        return True

    @property
    def report(self) -> dict[str, Any]:
        """The tally as JSON holds it."""
        return {
            "decoder": self.name,
            "inputs": self.inputs,
            "accepted": self.accepted,
            "refused": dict(self.refused.most_common()),
            "crashes": self.crashes,
        }


def replay(decoder: Decoder, data: bytes) -> str:
    """Throw one input that was kept, and return the verdict; raises whatever it caused."""
    read, _ = decoder.make()
    return read(data)


def plainly(decoder: Decoder, *, inputs: int, seed: int, folder: Path) -> Tally:
    """Throw inputs made of the good ones by chance alone; the same seed throws the same."""
    read, seeds = decoder.make()
    tally, dice = Tally(decoder.name, folder), random.Random(f"{seed}/{decoder.name}")
    pool = list(seeds)
    for data in pool[:inputs]:
        tally.count(read, data)
    while tally.inputs < inputs:
        data = mutate.spoil(dice.choice(pool), seeds, dice)
        if tally.count(read, data) and len(pool) < len(seeds) + KEPT:
            pool.append(data)
    return tally


def guided(decoder: Decoder, *, inputs: int, seed: int, folder: Path, done: Any) -> None:
    """Throw inputs that Atheris chooses by the lines that they reach; calls `done` with the tally and never returns."""
    read, seeds = decoder.make()
    tally = Tally(decoder.name, folder)
    corpus = folder / "corpus" / decoder.name
    corpus.mkdir(parents=True, exist_ok=True)
    for number, data in enumerate(seeds):
        (corpus / f"seed-{number:03d}").write_bytes(data)

    def one(data: bytes) -> None:
        tally.count(read, data)
        if tally.inputs >= inputs:
            done(tally)

    def change(data: bytes, most: int, chance: int) -> bytes:
        dice = random.Random(chance)
        # Left to itself it strays: where the reader is C, every broken input looks as good as a nearly good one.
        if dice.random() < FRESH:
            return mutate.spoil(dice.choice(seeds), seeds, dice)[:most]
        return bytes(atheris.Mutate(data, most)) if dice.random() < 0.5 else mutate.spoil(data, seeds, dice)[:most]

    options = [
        f"-seed={seed}",
        f"-max_len={mutate.MAX_BYTES}",
        "-timeout=60",
        f"-artifact_prefix={folder}/",
        "-verbosity=0",
    ]
    atheris.Setup([sys.argv[0], *options, str(corpus)], one, custom_mutator=change)
    atheris.Fuzz()


def instrumented() -> AbstractContextManager[object]:
    """Import in this what Atheris is to look into; without Atheris it does nothing."""
    if atheris is None:
        return nullcontext()
    looked_into = ["broker", "contract", "edge", "trainer", "converter", "yaml"]
    return cast("AbstractContextManager[object]", atheris.instrument_imports(include=looked_into))


def _is_ours(file: str) -> bool:
    path = Path(file)
    inside = path.is_relative_to(ROOT) and "site-packages" not in path.parts
    return inside and path.is_relative_to(ROOT / "bench") is False


def names(decoders: Sequence[Decoder]) -> str:
    """Name all decoders."""
    return ", ".join(decoder.name for decoder in decoders)
