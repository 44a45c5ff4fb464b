"""A Korean captioner from nothing to the device: what a user types, and what the camera then says."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from contract import vocabulary
from tests.trainer import small_data
from tests.trainer.workstation import ROOT, Workstation
from trainer.data import prepare

RECIPE = "trainer-smoke-ko.yaml"

OBJECTS = re.compile(r"(원|네모|바탕|그림)([을를])(?= |$)")
"""A noun with the particle that follows it; 네모 alone ends in a vowel."""


def test_korean_data_are_cut_into_morphemes_and_so_are_the_words_of_dangers(tmp_path: Path) -> None:
    recipe = small_data.recipe(tmp_path, hazards=4, language="ko")
    for split in ("train", "val"):
        path = tmp_path / f"captions_{split}.json"
        text = path.read_text().replace("the wall on the right is", "오른쪽 벽이").replace("wall", "벽을 칠했다")
        path.write_text(text, encoding="utf-8")
    sentences = {"fire": ["불이 났다"], "none": ["빈 곳이다"]}
    templates = {"sentences": sentences, "words": {}, "terms": {"fire": ["불이 났다", "불길"]}}
    (tmp_path / "sentences.yaml").write_text(json.dumps(templates), encoding="utf-8")

    prepared = prepare.gather(recipe)

    assert {"벽", "+이/가", "+을/를", "불", "났"} < set(prepared.vocabulary.words)
    assert "벽이" not in prepared.vocabulary.ids
    assert prepared.terms == {"fire": ("불 +이/가 났 +다", "불길")}


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_korean_model_is_trained_converted_and_speaks_with_the_right_particles(tmp_path: Path) -> None:
    station = Workstation(tmp_path)
    (tmp_path / "config").mkdir()
    recipe = tmp_path / "config" / RECIPE
    recipe.write_bytes((ROOT / "config" / RECIPE).read_bytes())
    station.does("sample", "--language", "ko", "--out", "runs/sample-ko")
    station.does("train", recipe)
    figures = json.loads(station.does("evaluate", recipe, "--json"))["captions"]["sample-ko"]
    station.does("export", recipe, "--out", "exported")
    captions = tmp_path / "runs" / "sample-ko" / "captions_val.json"
    limits = tmp_path / "limits.yaml"
    limits.write_text("limits: {equal_tokens: 0, equal_captions: 0, bleu_4_drop: 1, cider_drop: 1}\n")

    run("converter", "convert", "exported", "--out", "models/ko", "--config", limits, cwd=tmp_path)
    scored = run("converter", "evaluate", "--bundle", "models/ko", "--captions", captions, "--json", cwd=tmp_path)
    examples = sorted((tmp_path / "runs" / "sample-ko" / "images").glob("val-*.jpg"))
    spoken = run("edge", "caption", "--bundle", "models/ko", "--json", *examples, cwd=tmp_path)
    scores, said = json.loads(scored), [json.loads(line) for line in spoken.splitlines()]

    assert figures["bleu_1"] > 0.5
    assert scores["bleu_1"] > 0.5
    assert {one["language"] for one in said} == {"ko"}
    assert {"+이/가", "+을/를"} < vocabulary.load(tmp_path / "models" / "ko" / "vocabulary.txt").ids.keys()
    assert not any("+" in one["text"] for one in said)
    objects = [found for one in said for found in OBJECTS.findall(one["text"])]
    assert objects
    assert {particle == "를" for noun, particle in objects if noun == "네모"} <= {True}
    assert {particle == "을" for noun, particle in objects if noun != "네모"} <= {True}


def run(service: str, *arguments: str | Path, cwd: Path) -> str:
    """Run a service's command as a process and return what it answers."""
    command = [sys.executable, "-c", f"from {service}.cli import console; console()", *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout
