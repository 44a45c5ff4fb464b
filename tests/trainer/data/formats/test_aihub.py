"""AI-Hub's Korean captions of COCO, as its file lays them out."""

import json
from pathlib import Path

import pytest

from trainer.data.formats import captions
from trainer.data.formats.caption_record import CaptionRecord
from trainer.data.quality.issues import Findings, Kind
from trainer.errors import DataError
from trainer.recipe.data import Captions

TRAIN_FILE = "train2014/COCO_train2014_000000000009.jpg"
VAL_FILE = "val2014/COCO_val2014_000000000042.jpg"
TRAIN = {
    "file_path": TRAIN_FILE,
    "captions": ["Closeup of bins of food."],
    "id": 9,
    "caption_ko": ["음식이 담긴 통이 있다.", "식판에 빵과 과일이 있다."],
}
VAL = {
    "file_path": VAL_FILE,
    "captions": ["This wire metal rack holds shoes."],
    "id": 42,
    "caption_ko": ["선반 위에 신발이 있다.", ""],
}


def source(folder: Path, entries: list[dict[str, object]], *, both: bool = True) -> Captions:
    path = folder / "MSCOCO_train_val_Korean.json"
    path.write_text(json.dumps(entries, ensure_ascii=False, indent=1), encoding="utf-8")
    return Captions(name="coco-ko", images=folder, train=path, val=path if both else folder / "other.json")


def test_one_file_gives_both_of_cocos_splits(tmp_path: Path) -> None:
    made = source(tmp_path, [TRAIN, VAL])

    train, val = (list(captions.read(made, split, Findings().of(split))) for split in ("train", "val"))

    assert train == [
        CaptionRecord(str(TRAIN["file_path"]), text)
        for text in (None, "음식이 담긴 통이 있다.", "식판에 빵과 과일이 있다.")
    ]
    assert val == [CaptionRecord(str(VAL["file_path"]), text) for text in (None, "선반 위에 신발이 있다.", "")]


def test_a_file_of_one_split_gives_all_its_images(tmp_path: Path) -> None:
    made = source(tmp_path, [TRAIN, VAL], both=False)

    assert {said.file for said in captions.read(made, "train", Findings().of("train"))} == {TRAIN_FILE, VAL_FILE}


def test_an_image_that_stands_twice_is_noted(tmp_path: Path) -> None:
    findings = Findings()

    list(captions.read(source(tmp_path, [TRAIN, TRAIN]), "train", findings.of("train")))

    (found,) = findings
    assert found.kind is Kind.REPEATED
    assert found.examples[0].endswith("[1] train2014/COCO_train2014_000000000009.jpg")


@pytest.mark.parametrize(
    ("entry", "complaint"),
    [
        pytest.param(
            {**VAL, "caption_ko": "선반"}, r"Expected `array`, got `str` - at `\$\[1\]\.caption_ko`", id="no list"
        ),
        pytest.param({"caption_ko": []}, r"missing required field `file_path` - at `\$\[1\]`", id="no image"),
    ],
)
def test_an_entry_in_another_layout_is_named(tmp_path: Path, entry: dict[str, object], complaint: str) -> None:
    with pytest.raises(DataError, match=rf"MSCOCO_train_val_Korean\.json: .*{complaint}"):
        list(captions.read(source(tmp_path, [TRAIN, entry]), "train", Findings().of("train")))
