"""The self-test of a bundle."""

import shutil
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from ai_edge_litert.interpreter import Interpreter

from contract import bundle
from edge.infer import self_test
from edge.infer.captioner import Captioner
from edge.infer.self_test import SelfTestFailed


def opened(folder: Path, right: bundle.SelfTest) -> Captioner:
    contents = bundle.read(folder)
    manifest = msgspec.structs.replace(contents.manifest, self_test=right)
    return Captioner(folder, replace(contents, manifest=manifest), threads=1, beam_width=None)


def test_a_bundle_that_answers_as_where_it_was_converted_passes(tiny: Path) -> None:
    answers = self_test.run(Captioner.open(tiny))

    assert answers.cells > 0
    assert self_test.run(opened(tiny, answers)) == answers


def test_the_bundle_that_comes_along_answers_as_its_manifest_says() -> None:
    folder = Path(__file__).resolve().parents[3] / "models" / "wordcam-1"
    captioner = Captioner.open(folder)

    right = captioner.manifest.self_test

    assert right is not msgspec.UNSET, "`wordcam-convert self-test models/wordcam-1` writes it"
    assert self_test.run(captioner).evidence.keys() == captioner.manifest.evidence.keys() == right.evidence.keys()


def test_what_is_written_takes_the_place_of_older_answers_and_leaves_every_file_alone(
    tiny: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(tiny, tmp_path / "bundle")
    wrong = bundle.SelfTest(cells=99.0)
    bundle.write(folder, msgspec.structs.replace(bundle.load(folder), self_test=wrong))
    before = {path.name: path.read_bytes() for path in folder.iterdir() if path.name != bundle.MANIFEST}
    with pytest.raises(SelfTestFailed, match="in place of 99"):
        self_test.run(Captioner.open(folder))

    written = self_test.write(folder)

    assert written.self_test == self_test.run(Captioner.open(folder))
    assert {path.name: path.read_bytes() for path in folder.iterdir() if path.name != bundle.MANIFEST} == before
    assert self_test.write(folder) == written, "the same answers every time"


def test_other_answers_than_the_manifest_says_are_found(tiny: Path) -> None:
    answers = self_test.run(Captioner.open(tiny))

    with pytest.raises(SelfTestFailed, match="the encoder answers"):
        self_test.run(opened(tiny, msgspec.structs.replace(answers, cells=answers.cells * 2)))
    with pytest.raises(SelfTestFailed, match="evidence of gun is nan in place of"):
        self_test.run(opened(tiny, msgspec.structs.replace(answers, evidence={"gun": 0.5})))


def test_an_encoder_that_is_blind_is_found(tiny: Path, tmp_path: Path) -> None:
    """A model whose weights are noughts, as a wrong conversion makes them, with a digest that is right."""
    folder = shutil.copytree(tiny, tmp_path / "blind")
    shutil.copy(_blind(tiny, tmp_path), folder / "encoder.tflite")
    manifest = bundle.load(tiny)
    manifest.files["encoder"] = bundle.describe(folder / "encoder.tflite")
    bundle.write(folder, manifest)

    with pytest.raises(SelfTestFailed, match="the encoder says the same of two different pictures"):
        self_test.run(Captioner.open(folder))


def _blind(tiny: Path, tmp_path: Path) -> Path:
    """Write the encoder with the weights of its convolution set to nought."""
    data = (tiny / "encoder.tflite").read_bytes()
    interpreter = Interpreter(model_content=data)
    interpreter.allocate_tensors()
    (kernel,) = (one["index"] for one in interpreter.get_tensor_details() if list(one["shape"]) == [8, 8, 8, 3])
    weights = interpreter.get_tensor(kernel).tobytes()
    assert weights in data
    path = tmp_path / "encoder.tflite"
    path.write_bytes(data.replace(weights, bytes(len(weights))))
    return path
