"""The fuzzer: each decoder refuses or accepts, and a crash is counted once, kept and thrown again."""

import json
import random
from pathlib import Path

import pytest

from bench.fuzz import __main__ as fuzz
from bench.fuzz import campaign, mutate
from bench.fuzz.decoder import Decoder, of_text, refusing

A_FEW = 25
"""Inputs of each decoder: `make fuzz` throws a million."""

DECODERS = fuzz.decoders()


@pytest.mark.parametrize("decoder", DECODERS, ids=lambda decoder: decoder.name)
def test_a_decoder_survives_a_few_inputs(decoder: Decoder, tmp_path: Path) -> None:
    tally = campaign.plainly(decoder, inputs=A_FEW, seed=7, folder=tmp_path)

    assert tally.crashes == {}
    assert tally.accepted + tally.refused.total() == tally.inputs == A_FEW


def test_decoders_are_told_apart_by_name() -> None:
    names = [decoder.name for decoder in DECODERS]

    assert len(names) == len(set(names))


def _touchy(data: bytes) -> str:
    """Refuse digits, and fall over a question mark in one of two ways."""
    text = data.decode("latin-1")
    if "?" in text:
        raise LookupError("asked") if text.startswith("?") else RuntimeError("asked")
    return "digits" if any(sign.isdigit() for sign in text) else ""


TOUCHY = Decoder("touchy", lambda: (_touchy, [b"hello", b"hello 1", b"hello?", b"?", b"well?"]))


def test_a_crash_is_kept_once_with_what_caused_it(tmp_path: Path) -> None:
    tally = campaign.plainly(TOUCHY, inputs=5, seed=1, folder=tmp_path)

    assert (tally.inputs, tally.accepted, dict(tally.refused)) == (5, 1, {"digits": 1})
    assert [what.partition(" ")[0] for what in tally.crashes] == ["RuntimeError", "LookupError"]
    first, second = (Path(file) for file in tally.crashes.values())
    assert (first.read_bytes(), second.read_bytes()) == (b"hello?", b"?")
    assert "RuntimeError: asked" in first.with_suffix(".txt").read_text(encoding="utf-8")
    with pytest.raises(RuntimeError):
        campaign.replay(TOUCHY, first.read_bytes())


def test_the_same_seed_throws_the_same(tmp_path: Path) -> None:
    first, again, other = (
        campaign.plainly(TOUCHY, inputs=400, seed=seed, folder=tmp_path).report for seed in (1, 1, 2)
    )

    assert first == again
    assert first != other


@pytest.mark.parametrize("data", [b"", b"x", b'{"a": [1, {"b": null}]}', b"[" * 3000, b"\xff" * 40])
def test_whatever_is_spoilt_stays_within_bounds(data: bytes) -> None:
    dice = random.Random(3)

    for _ in range(200):
        assert len(mutate.spoil(data, [data, b"other"], dice)) <= mutate.MAX_BYTES


def test_only_documented_errors_are_refusals() -> None:
    read = refusing(of_text(int), ValueError)

    assert read(b"12") == ""
    assert read(b"twelve") == "ValueError"
    with pytest.raises(TypeError):
        refusing(lambda data: len(5), ValueError)(b"")  # type: ignore[arg-type]  # the mistake is the point


def test_it_runs_as_a_command(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    words = ["--only", "topic", "--inputs", "300", "--json", "--crashes", str(tmp_path)]

    assert fuzz.main([*words, "--plain"]) == 0

    (report,) = json.loads(capsys.readouterr().out)
    assert (report["decoder"], report["inputs"], report["crashes"]) == ("topic", 300, {})
    assert set(report["refused"]) == {"not-ours"}


def test_an_unknown_decoder_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert fuzz.main(["--only", "soup"]) == 78
    assert "no decoder soup; known: caption, status," in capsys.readouterr().err
