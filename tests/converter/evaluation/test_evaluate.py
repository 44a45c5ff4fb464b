"""Scoring a bundle on captions and boxes in COCO's formats, as a user does."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from converter import cli
from edge.infer import image
from edge.infer.captioner import Captioner


def evaluate(capsys: pytest.CaptureFixture[str], *words: str | Path) -> Any:
    capsys.readouterr()
    assert cli.main(["evaluate", "--json", *map(str, words)]) == 0
    return json.loads(capsys.readouterr().out)


def test_captions_are_scored_as_fractions(
    bundle_folder: Path, captions_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scores = evaluate(capsys, "--bundle", bundle_folder, "--captions", captions_file)

    assert list(scores) == [
        *("bleu_1", "bleu_2", "bleu_3", "bleu_4", "cider"),
        *("rouge_l", "bleu_seed", "jaccard", "cosine", "invented", "images"),
    ]
    assert scores["images"] == 12
    assert 0 < scores["bleu_1"] < 1


def test_a_sentence_that_people_wrote_word_for_word_scores_full_marks(
    bundle_folder: Path, export_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    captioner = Captioner.open(bundle_folder)
    pictures = sorted((export_folder / "pictures").iterdir())
    said = [captioner.caption(captioner.encode(image.read(path))).text for path in pictures]
    found = {
        "images": [{"id": number, "file_name": path.name} for number, path in enumerate(pictures)],
        "annotations": [{"image_id": number, "caption": text} for number, text in enumerate(said)],
    }
    file = tmp_path / "captions.json"
    file.write_text(json.dumps(found), encoding="utf-8")

    scores = evaluate(capsys, "--bundle", bundle_folder, "--captions", file, "--images", export_folder / "pictures")

    assert scores["bleu_4"] == pytest.approx(1)
    assert scores["rouge_l"] == pytest.approx(1)


def test_the_first_pictures_alone_may_be_looked_at(
    bundle_folder: Path, captions_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scores = evaluate(capsys, "--bundle", bundle_folder, "--captions", captions_file, "--limit", "3")

    assert scores["images"] == 3


def write_boxes(file: Path, picture: Path, boxes: list[list[float]], name: str = "person") -> Path:
    annotations = [
        {"id": number, "image_id": 7, "category_id": 40, "bbox": bbox} for number, bbox in enumerate(boxes, 1)
    ]
    found = {
        "images": [{"id": 7, "file_name": picture.name}],
        "annotations": annotations,
        "categories": [{"id": 40, "name": name}, {"id": 41, "name": "kite"}],
    }
    file.write_text(json.dumps(found), encoding="utf-8")
    return file


def test_boxes_are_scored_in_the_pictures_own_pixels(
    bundle_folder: Path, export_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = export_folder / "pictures" / "1.png"
    captioner = Captioner.open(bundle_folder)
    rgb = image.read(picture)
    height, width = rgb.shape[:2]
    best = captioner.detect(captioner.encode(rgb))[:3]
    truth = [[box.x * width, box.y * height, box.w * width, box.h * height] for box in best]
    file = write_boxes(tmp_path / "instances.json", picture, truth)

    scores = evaluate(capsys, "--bundle", bundle_folder, "--detections", file, "--images", picture.parent)

    assert scores == {"person": {"ap": pytest.approx(1), "ap50": pytest.approx(1), "images": 1}}


def test_boxes_elsewhere_score_nothing(
    bundle_folder: Path, export_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = export_folder / "pictures" / "1.png"
    file = write_boxes(tmp_path / "instances.json", picture, [[0, 0, 1, 1]])

    scores = evaluate(capsys, "--bundle", bundle_folder, "--detections", file, "--images", picture.parent)

    assert scores["person"]["ap50"] == 0


def test_a_file_without_the_bundles_classes_is_refused(
    bundle_folder: Path, export_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = export_folder / "pictures" / "1.png"
    file = write_boxes(tmp_path / "instances.json", picture, [], name="dog")

    code = cli.main(
        ["evaluate", "--bundle", str(bundle_folder), "--detections", str(file), "--images", str(picture.parent)]
    )

    assert code == 78
    assert "has boxes of dog, kite; the bundle detects person" in capsys.readouterr().err


def test_a_table_is_printed_for_people(
    bundle_folder: Path, captions_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["evaluate", "--bundle", str(bundle_folder), "--captions", str(captions_file)]) == 0
    assert "bleu_4" in capsys.readouterr().out


def test_meteor_that_cannot_be_measured_is_left_out_and_says_why(
    bundle_folder: Path,
    captions_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    capsys.readouterr()

    code = cli.main(
        ["evaluate", "--json", "--bundle", str(bundle_folder), "--captions", str(captions_file), "--meteor"]
    )

    said = capsys.readouterr()
    scores = json.loads(said.out)
    assert code == 0
    assert "meteor" not in scores
    assert "images" in scores
    assert "METEOR is left out: there is no `java` here" in said.err


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        pytest.param("{", "not COCO captions: Input data was truncated", id="cut off"),
        pytest.param('[{"image_id": 1, "caption": "a"}]', "Expected `object`, got `array`", id="a list"),
        pytest.param('{"images": [], "annotations": []}', "`images` is empty", id="no pictures"),
        pytest.param(
            '{"images": [{"id": "1", "file_name": "a"}], "annotations": []}', "$.images[0].id", id="an id of text"
        ),
        pytest.param(
            '{"images": [{"id": 1, "file_name": "0.png"}], "annotations": []}',
            "1 of 1 pictures have no caption",
            id="bare",
        ),
        pytest.param(
            '{"images": [{"id": 1, "file_name": "0.png"}], "annotations": [{"image_id": 2, "caption": "a"}]}',
            "speak of picture 2, which `images` does not list",
            id="stranger",
        ),
        pytest.param(
            '{"images": [{"id": 1, "file_name": "gone.png"}], "annotations": [{"image_id": 1, "caption": "a"}]}',
            "1 of 1 pictures are missing",
            id="missing picture",
        ),
        pytest.param(
            '{"images": [{"id": 1, "file_name": "a"}, {"id": 1, "file_name": "b"}], "annotations": []}',
            "an id stands twice",
            id="twice",
        ),
    ],
)
def test_a_caption_file_of_the_wrong_shape_is_named(
    text: str, complaint: str, bundle_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "captions.json"
    file.write_text(text, encoding="utf-8")

    code = cli.main(["evaluate", "--bundle", str(bundle_folder), "--captions", str(file)])

    said = capsys.readouterr().err
    assert code == 78
    assert str(file) in said or str(tmp_path / "images") in said
    assert complaint in said
    assert said.count("\n") == 1


def test_a_broken_picture_is_named(bundle_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "half.jpg").write_bytes(b"\xff\xd8\xff\xe0 half a picture")
    file = tmp_path / "captions.json"
    images = [{"id": 1, "file_name": "half.jpg"}]
    file.write_text(json.dumps({"images": images, "annotations": [{"image_id": 1, "caption": "a"}]}), encoding="utf-8")

    code = cli.main(["evaluate", "--bundle", str(bundle_folder), "--captions", str(file)])

    assert code == 78
    assert "half.jpg: not a picture" in capsys.readouterr().err


def test_a_bundle_whose_digest_is_wrong_is_refused(
    bundle_folder: Path, captions_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in bundle_folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "encoder.tflite").write_bytes(b"something else")

    for words in (
        ["evaluate", "--bundle", str(tmp_path), "--captions", str(captions_file)],
        ["inspect", str(tmp_path)],
    ):
        assert cli.main(words) == 78
        assert "encoder.tflite: SHA-256 is" in capsys.readouterr().err


def test_evaluate_and_inspect_need_no_tensorflow(bundle_folder: Path, captions_file: Path) -> None:
    program = (
        "import sys; from converter import cli\n"
        f"assert cli.main(['evaluate', '--json', '--bundle', {str(bundle_folder)!r}, "
        f"'--captions', {str(captions_file)!r}]) == 0\n"
        f"assert cli.main(['inspect', {str(bundle_folder)!r}]) == 0\n"
        "assert not {'tensorflow', 'keras', 'matplotlib'} & set(sys.modules)"
    )

    done = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True, text=True)

    assert done.returncode == 0, done.stderr


def test_inspect_tells_what_is_inside(bundle_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert cli.main(["inspect", "--json", str(bundle_folder)]) == 0
    found = json.loads(capsys.readouterr().out)

    assert found["manifest"]["name"] == "tiny"
    assert found["models"]["encoder"]["operators"]["CONV_2D"] == 4
    assert found["models"]["encoder"]["inputs"] == [{"name": "image", "shape": [1, 64, 64, 3], "dtype": "uint8"}]
    assert found["models"]["encoder"]["weights"]["int8"] > found["models"]["encoder"]["weights"].get("float32", 0)


def test_inspect_prints_tables_for_people(bundle_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert cli.main(["inspect", str(bundle_folder)]) == 0
    said = capsys.readouterr().out

    assert all(word in said for word in ("tiny@0.1.0", "encoder.tflite", "CONV_2D", "log_probs", "fire"))
