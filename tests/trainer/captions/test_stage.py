"""A bundle learns other words by what its own encoder sees, from the trainer's command to the device's sentences."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from contract import bundle
from edge.infer import image
from edge.infer.captioner import Captioner
from tests.trainer.workstation import ROOT, Workstation

pytestmark = pytest.mark.slow

LENIENT = """
comparison: {pictures: 8}
limits: {cosine: 0, equal_tokens: 0, equal_captions: 0, bleu_4_drop: 1, cider_drop: 1, ap50_drop: 1}
"""


def convert(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "converter", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)


@pytest.fixture(scope="module")
def taught(trained: Workstation, tmp_path_factory: pytest.TempPathFactory) -> Workstation:
    """A workstation with a bundle that says "circle", and captions that say "ring" of the same images."""
    made = Workstation(tmp_path_factory.mktemp("captions") / "workstation")
    shutil.copytree(trained.folder, made.folder)
    (made.folder / "lenient.yaml").write_text(LENIENT, encoding="utf-8")
    done = convert(
        "convert", made.folder / "exported", "--out", made.folder / "bundle", "--config", made.folder / "lenient.yaml"
    )
    assert done.returncode == 0, done.stderr
    shutil.copytree(made.folder / "bundle", made.folder / "before")
    for split in ("train", "val"):
        path = made.folder / f"runs/sample/captions_{split}.json"
        path.write_text(path.read_text(encoding="utf-8").replace("circle", "ring"), encoding="utf-8")
    made.change(
        name="rings",
        version="0.1.0",
        phrases={"min_count": 8, "rank": 12},
        detector=None,
        self_critical={},
        distillation={"sentences": 2, "captions_per_image": 1},
    )
    made.does("captions", made.recipe, "--bundle", "bundle", "--out", "rings")
    done = convert("captioner", made.folder / "rings", "--bundle", made.folder / "bundle", "--beam-width", "2")
    assert done.returncode == 0, done.stderr
    return made


def sentences(folder: Path, pictures: list[Path]) -> list[str]:
    captioner = Captioner.open(folder)
    return [captioner.caption(captioner.encode(image.read(path))).text for path in pictures]


def test_the_device_says_the_new_words_and_no_longer_the_old(taught: Workstation) -> None:
    listing = json.loads((taught.folder / "runs/sample/captions_val.json").read_text(encoding="utf-8"))
    names = {each["image_id"] for each in listing["annotations"] if "ring" in each["caption"]}
    files = [each["file_name"] for each in listing["images"] if each["id"] in names]
    pictures = [taught.folder / "runs/sample/images" / name for name in files]

    before, after = (sentences(taught.folder / name, pictures) for name in ("before", "bundle"))

    assert any("circle" in sentence for sentence in before)
    assert any("ring" in sentence.split() for sentence in after)
    assert not any("circle" in sentence for sentence in after)


def test_what_the_bundle_sees_stays_as_it_was(taught: Workstation) -> None:
    before, after = (bundle.load(taught.folder / name) for name in ("before", "bundle"))

    assert after.version == "0.1.0"
    assert after.decoding.beam_width == 2
    for role in ("encoder", "detector"):
        assert after.files[role].sha256 == before.files[role].sha256
    assert after.files["decoder_step"].sha256 != before.files["decoder_step"].sha256
    card = (taught.folder / "bundle" / after.files["card"].name).read_text(encoding="utf-8")
    assert card.startswith(f"# {after.name} 0.1.0\n")
    assert "wordcam-train captions" in card
    assert "with a beam of 2," in card


def test_a_second_run_goes_on_where_the_first_ended(taught: Workstation) -> None:
    weights = taught.folder / "runs/rings/captioner.weights.h5"
    changed = weights.stat().st_mtime_ns

    taught.does("captions", taught.recipe, "--bundle", "before", "--out", "again")

    assert weights.stat().st_mtime_ns == changed
    assert (taught.folder / "again/phrases.txt").read_text() == (taught.folder / "rings/phrases.txt").read_text()


def test_a_captioner_of_another_encoder_is_refused_and_the_bundle_stays(taught: Workstation, tmp_path: Path) -> None:
    export = shutil.copytree(taught.folder / "rings", tmp_path / "rings")
    document = json.loads((export / "captions.json").read_text(encoding="utf-8"))
    (export / "captions.json").write_text(json.dumps({**document, "encoder": "0" * 64}), encoding="utf-8")
    before = {path.name: path.read_bytes() for path in (taught.folder / "bundle").iterdir()}

    done = convert("captioner", export, "--bundle", taught.folder / "bundle")

    assert done.returncode == 78
    assert "another encoder" in done.stderr
    assert {path.name: path.read_bytes() for path in (taught.folder / "bundle").iterdir()} == before
