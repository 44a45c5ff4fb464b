"""The conversion as a user runs it, on a real export."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from msgspec.structs import replace

from contract import bundle
from converter import cli
from edge.infer import image, runtime
from edge.infer.captioner import Captioner
from tests.converter import tiny_export
from tests.converter.tiny_export import PHRASES


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_an_export_becomes_a_bundle_that_speaks(bundle_folder: Path, export_folder: Path) -> None:
    captioner = Captioner.open(bundle_folder)

    sentence = captioner.caption(captioner.encode(image.read(export_folder / "pictures" / "0.png")))

    assert sentence.words
    assert set(sentence.words) <= set(captioner.vocabulary.words)


def test_a_bundle_carries_what_it_answers_to_the_self_test(
    bundle_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = shutil.copytree(bundle_folder, tmp_path / "bundle")
    manifest = bundle.load(folder)
    assert manifest.self_test
    assert cli.main(["self-test", str(folder), "--check"]) == 0

    wrong = replace(manifest.self_test, cells=manifest.self_test.cells * 2)
    bundle.write(folder, replace(manifest, self_test=wrong))
    assert cli.main(["self-test", str(folder), "--check"]) == 1
    assert "fails its self-test: the encoder answers" in capsys.readouterr().err

    assert cli.main(["self-test", str(folder)]) == 0
    assert bundle.load(folder) == manifest


def test_each_model_is_stored_as_the_contract_says(bundle_folder: Path) -> None:
    manifest = bundle.load(bundle_folder)
    encoder = runtime.load(bundle_folder / "encoder.tflite")
    step = runtime.load(bundle_folder / "decoder_step.tflite")

    assert manifest.files["encoder"].quantization == "int8"
    assert manifest.files["decoder_step"].quantization == "dynamic-range int8"
    assert encoder.inputs["image"].dtype == np.uint8
    assert {name: tensor.dtype for name, tensor in encoder.outputs.items()} == dict.fromkeys(
        ("c3", "c4", "cells"), np.float32
    )
    assert step.inputs["tokens"].shape == (3,)
    assert step.inputs["state"].shape == (3, 24)


def test_phrases_come_along_and_guide_what_is_said(bundle_folder: Path, export_folder: Path, tmp_path: Path) -> None:
    manifest = bundle.load(bundle_folder)
    assert (bundle_folder / manifest.files["phrases"].name).read_text() == "".join(
        f"{rarity:.4f}\t{words}\n" for words, rarity in PHRASES.items()
    )
    assert manifest.metrics["parity"]["cosine_expected"] > 0.95
    plain, pulled = (shutil.copytree(bundle_folder, tmp_path / name) for name in ("plain", "pulled"))
    bundle.write(plain, replace(manifest, decoding=replace(manifest.decoding, pull=0.0)))
    bundle.write(pulled, replace(manifest, decoding=replace(manifest.decoding, pull=20.0)))
    pictures = [image.read(path) for path in sorted((export_folder / "pictures").iterdir())]

    guided, unguided = (
        [tuple(one.tokens for one in captioner.search(captioner.encode(rgb))) for rgb in pictures]
        for captioner in map(Captioner.open, (pulled, plain))
    )

    assert guided != unguided


def test_raw_pixels_are_the_encoders_quantized_input(bundle_folder: Path) -> None:
    from ai_edge_litert.interpreter import Interpreter  # noqa: PLC0415

    interpreter = Interpreter(str(bundle_folder / "encoder.tflite"))

    assert interpreter.get_input_details()[0]["quantization"] == (1.0, 0)


def test_the_measured_figures_stand_in_manifest_and_card(bundle_folder: Path) -> None:
    manifest = bundle.load(bundle_folder)
    card = (bundle_folder / "card.md").read_text(encoding="utf-8")

    assert set(manifest.metrics) == {"float", "int8", "parity"}
    figures = {"bleu_1", "bleu_2", "bleu_3", "bleu_4", "cider", "rouge_l", "bleu_seed", "jaccard", "cosine"}
    assert set(manifest.metrics["int8"]) == figures | {"invented", "images"}
    assert manifest.metrics["parity"]["cosine_cells"] > 0.95
    assert f"| bleu_1 | {manifest.metrics['float']['bleu_1']:.4f} | {manifest.metrics['int8']['bleu_1']:.4f} |" in card
    assert "It knows nothing." in card
    assert "wordcam-convert convert " in card


def test_the_same_export_and_seed_give_the_same_models(
    bundle_folder: Path, export_folder: Path, tmp_path: Path
) -> None:
    again = tmp_path / "again"

    assert cli.main(["convert", str(export_folder), "--out", str(again)]) == 0

    for role in ("encoder", "detector", "decoder_init", "decoder_step"):
        name = f"{role}.tflite"
        assert (again / name).read_bytes() == (bundle_folder / name).read_bytes(), role


def test_a_bundle_that_misses_a_limit_is_not_written(
    export_folder: Path, bundle_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "strict.yaml"
    config.write_text("limits: {megabytes: 0.001}\n", encoding="utf-8")
    out = tmp_path / "models" / "tiny"
    shutil.copytree(bundle_folder, out)
    before = files_of(out)

    code = cli.main(["convert", str(export_folder), "--out", str(out), "--config", str(config)])

    assert code == 1
    assert "missed" in capsys.readouterr().out
    assert files_of(out) == before
    assert [path.name for path in out.parent.iterdir()] == ["tiny"]


def test_a_new_bundle_replaces_the_old_one_whole(export_folder: Path, bundle_folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "tiny"
    shutil.copytree(bundle_folder, out)
    (out / "left-over.tflite").write_bytes(b"old")

    assert cli.main(["convert", str(export_folder), "--out", str(out)]) == 0

    assert bundle.load(out).name == "tiny"
    assert not (out / "left-over.tflite").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["tiny"]


def test_verify_finds_a_fresh_bundle_good(
    bundle_folder: Path, export_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["verify", str(bundle_folder), str(export_folder)]) == 0
    assert "equal captions" in capsys.readouterr().out


def test_verify_finds_a_bundle_of_other_weights_bad(
    bundle_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "export"
    tiny_export.make(other, seed=9)

    assert cli.main(["verify", str(bundle_folder), str(other)]) == 1
    assert "missed" in capsys.readouterr().out


def test_a_folder_that_is_no_bundle_is_never_replaced(
    export_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "diary.txt").write_text("mine", encoding="utf-8")

    assert cli.main(["convert", str(export_folder), "--out", str(tmp_path)]) == 78
    assert "is no bundle" in capsys.readouterr().err
    assert (tmp_path / "diary.txt").read_text(encoding="utf-8") == "mine"


@pytest.fixture
def broken(export_folder: Path, tmp_path: Path) -> Path:
    copy = tmp_path / "export"
    shutil.copytree(export_folder, copy, symlinks=True)
    return copy


def describe(folder: Path, **changes: object) -> None:
    path = folder / "export.json"
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | changes), encoding="utf-8")


def converted(folder: Path, *more: str) -> int:
    return cli.main(["convert", str(folder), "--out", str(folder.parent / "out"), *more])


def test_a_missing_model_is_named(broken: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.rmtree(broken / "decoder_step")

    assert converted(broken) == 78
    assert "decoder_step/saved_model.pb: no such file" in capsys.readouterr().err


def test_damaged_weights_are_named(broken: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (broken / "encoder" / "variables" / "variables.index").write_bytes(b"no index")

    assert converted(broken) == 78
    assert f"{broken}/encoder: " in capsys.readouterr().err


def test_a_folder_that_is_no_export_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert converted(tmp_path) == 78
    assert "export.json: No such file or directory; an export is a folder" in capsys.readouterr().err


def test_no_pictures_to_calibrate_on_are_refused(broken: Path, capsys: pytest.CaptureFixture[str]) -> None:
    describe(broken, representative={"images": []})

    assert converted(broken) == 78
    assert "representative.images: no pictures to calibrate on" in capsys.readouterr().err


def test_missing_pictures_are_counted_and_named(broken: Path, capsys: pytest.CaptureFixture[str]) -> None:
    describe(broken, representative={"images": ["pictures/0.png", "pictures/gone.png"]})

    assert converted(broken) == 78
    assert f"1 of 2 pictures are missing: {broken}/pictures/gone.png" in capsys.readouterr().err


def test_another_folder_of_pictures_may_be_given(broken: Path, export_folder: Path) -> None:
    describe(broken, representative={"images": ["gone.png"]})

    assert converted(broken, "--images", str(export_folder / "pictures")) == 0


def test_a_vocabulary_of_another_size_is_refused(broken: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with (broken / "vocabulary.txt").open("a", encoding="utf-8") as file:
        file.write("sword\n")

    assert converted(broken) == 78
    assert "vocabulary.txt: holds 25 words, the decoder speaks 24" in capsys.readouterr().err


def test_other_phrases_than_the_decoder_expects_are_refused(broken: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with (broken / "phrases.txt").open("a", encoding="utf-8") as file:
        file.write("1.0\tfire\n")

    assert converted(broken) == 78
    assert "phrases.txt: holds 7 phrases, the decoder expects 6" in capsys.readouterr().err


def test_a_line_of_the_phrases_at_fault_is_named(broken: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (broken / "phrases.txt").write_text("0.1\ta\nrare\tdog\n", encoding="utf-8")

    assert converted(broken) == 78
    assert "phrases.txt: line 2" in capsys.readouterr().err


def test_a_danger_that_cannot_be_said_is_refused(broken: Path, capsys: pytest.CaptureFixture[str]) -> None:
    describe(broken, hazards={"knife": ["knife", "sharp blade"]})

    assert converted(broken) == 78
    assert "hazards.knife: the vocabulary can spell none of knife, sharp blade" in capsys.readouterr().err


def test_an_input_size_that_the_encoder_does_not_take_is_refused(
    broken: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    describe(broken, input={"height": 96, "width": 64})

    assert converted(broken) == 78
    assert "`image` is (None, 64, 64, 3), it should take (1, 96, 64, 3)" in capsys.readouterr().err


def dense_versions(path: Path) -> set[int]:
    """Return the versions of the FULLY_CONNECTED operators of a model."""
    graph = schema.ModelT.InitFromPackedBuf(path.read_bytes(), 0)
    return {code.version for code in graph.operatorCodes if code.builtinCode == schema.BuiltinOperator.FULLY_CONNECTED}


def test_a_bundle_can_be_written_for_an_older_runtime(
    bundle_folder: Path, export_folder: Path, captions_file: Path, tmp_path: Path
) -> None:
    (tmp_path / "converter.yaml").write_text("runtime: tflite-runtime\nlimits: {equal_captions: 0}\n", encoding="utf-8")
    out = tmp_path / "old"
    arguments = ["--config", str(tmp_path / "converter.yaml"), "--captions", str(captions_file)]

    assert cli.main(["convert", str(export_folder), "--out", str(out), *arguments]) == 0

    assert max(dense_versions(bundle_folder / "decoder_step.tflite")) >= 12
    for role in ("encoder", "decoder_init", "decoder_step"):
        assert max(dense_versions(out / f"{role}.tflite"), default=0) < 12
    assert Captioner.open(out).manifest.files.keys() == bundle.load(bundle_folder).files.keys()
