"""Captions in every format: the file's own content tells which it is."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from trainer.data.formats import captions
from trainer.data.quality.issues import Findings, Kind
from trainer.errors import DataError
from trainer.recipe.data import Captions

COCO = json.dumps(
    {
        "images": [{"id": 1, "file_name": "a.jpg"}, {"id": 2, "file_name": "b.jpg"}],
        "annotations": [
            {"image_id": 1, "caption": "개가 달린다."},
            {"image_id": 1, "caption": "A dog, running"},
            {"image_id": 2, "caption": "A cat"},
        ],
    },
    ensure_ascii=False,
)
TOKENS = "a.jpg#0\t개가 달린다.\na.jpg#1\tA dog, running\nb.jpg#0\tA cat\n"
KAGGLE = 'image,caption\na.jpg,개가 달린다.\na.jpg,"A dog, running"\nb.jpg,A cat\n'
UNQUOTED = "image,caption\na.jpg,개가 달린다.\na.jpg,A dog, running\nb.jpg,A cat\n"
PIPES = "image_name| comment_number| comment\na.jpg| 0| 개가 달린다.\na.jpg| 1| A dog, running\nb.jpg| 0| A cat\n"
OWN = 'file,caption\na.jpg,개가 달린다.\na.jpg,"A dog, running"\nb.jpg,A cat\n'
SEMICOLONS = '"caption";"file"\r\n"개가 달린다.";"a.jpg"\r\n"A dog, running";"a.jpg"\r\n"A cat";"b.jpg"\r\n'
TABS = "file_name\tcaption\na.jpg\t개가 달린다.\na.jpg\tA dog, running\nb.jpg\tA cat\n"

JSON_LINES = (
    '{"file_name": "a.jpg", "text": "개가 달린다."}\n'
    '{"file_name": "a.jpg", "text": "A dog, running"}\n\n{"file_name": "b.jpg", "text": "A cat"}\n'
)
KARPATHY = json.dumps(
    {
        "images": [
            {"filename": "a.jpg", "split": "train", "sentences": [{"raw": "개가 달린다."}, {"raw": "A dog, running"}]},
            {"filename": "b.jpg", "split": "restval", "sentences": [{"raw": "A cat", "tokens": ["a", "cat"]}]},
            {"filename": "c.jpg", "split": "val", "sentences": [{"raw": "A cow"}]},
            {"filename": "d.jpg", "split": "test", "sentences": [{"raw": "A pig"}]},
        ],
        "dataset": "pets",
    }
)
INSTANCES = json.dumps({"images": [], "annotations": [{"image_id": 1, "category_id": 1, "bbox": [1, 1, 2, 2]}]})

FORMATS = {
    "coco": COCO,
    "coco with a byte order mark": "\ufeff" + COCO,
    "an imagefolder's metadata.csv": OWN.replace("file,caption", "file_name,text"),
    "an imagefolder's metadata.jsonl": JSON_LINES,
    "json lines with lists": '{"image": "a.jpg", "captions": ["개가 달린다.", "A dog, running"]}\n'
    '{"image": "b.jpg", "captions": ["A cat"]}\n',
    "karpathy's json": KARPATHY,
    "a caption with a line break": OWN.replace("A dog, running", "A dog,\nrunning"),
    "flickr tokens": TOKENS,
    "kaggle's flickr8k": KAGGLE,
    "commas without quotes": UNQUOTED,
    "flickr30k's table": PIPES,
    "a folder's table": OWN,
    "semicolons and quotes": SEMICOLONS,
    "tabs": TABS,
    "a byte order mark": "\ufeff" + OWN,
    "an empty line first": "\n" + TOKENS,
}


def source(folder: Path, train: str | bytes, val: str = "", together: str | None = None) -> Captions:
    """Write a source's files; `together` holds the captions of all splits."""
    (folder / "train").write_bytes(train if isinstance(train, bytes) else train.encode())
    (folder / "val").write_text(val, encoding="utf-8")
    if together is not None:
        (folder / "all").write_text(together, encoding="utf-8")
    every = None if together is None else folder / "all"
    return Captions(name="pets", images=folder, train=folder / "train", val=folder / "val", captions=every)


def read(made: Captions, split: captions.Split = "train") -> tuple[dict[str, list[str]], Findings]:
    """Return the captions by image."""
    findings = Findings()
    examples: dict[str, list[str]] = {}
    for said in captions.read(made, split, findings.of(split)):
        examples.setdefault(said.file, []).extend([] if said.text is None else [said.text])
    return examples, findings


def noted(findings: Findings) -> dict[Kind, Sequence[str]]:
    return {finding.kind: [example.rpartition("/")[2] for example in finding.examples] for finding in findings}


@pytest.mark.parametrize("text", FORMATS.values(), ids=FORMATS)
def test_every_format_says_the_same(tmp_path: Path, text: str) -> None:
    examples, findings = read(source(tmp_path, text))

    assert examples == {"a.jpg": ["개가 달린다.", "A dog, running"], "b.jpg": ["A cat"]}
    assert not noted(findings)


@pytest.mark.parametrize("text", [COCO, TOKENS, KAGGLE, PIPES], ids=["coco", "tokens", "kaggle", "pipes"])
def test_lists_of_names_share_one_file_of_captions_out(tmp_path: Path, text: str) -> None:
    made = source(tmp_path, "b.jpg\nc.jpg\n", "a.jpg\n", together=text)

    assert read(made)[0] == {"b.jpg": ["A cat"], "c.jpg": []}
    assert list(read(made, "val")[0]) == ["a.jpg"]


def test_a_list_may_leave_the_endings_of_names_out(tmp_path: Path) -> None:
    assert read(source(tmp_path, "b\n", together=TOKENS))[0] == {"b.jpg": ["A cat"]}


def test_names_that_a_list_repeats_and_lines_that_are_no_name_are_noted(tmp_path: Path) -> None:
    made = source(tmp_path, "b.jpg\nb.jpg\na dog\t0\n", together=TOKENS)

    assert noted(read(made)[1]) == {Kind.REPEATED: ["train:2: b.jpg"], Kind.NOT_A_CAPTION: ["train:3: a dog\t0"]}


def test_one_table_may_hold_all_splits(tmp_path: Path) -> None:
    table = "file,caption,split\na.jpg,A dog,train\nb.jpg,A cat,dev\nc.jpg,A cow,test\nd.jpg,A pig,Val\n"
    made = source(tmp_path, table)
    made = Captions(name="pets", images=tmp_path, train=made.train, val=made.train)

    assert read(made)[0] == {"a.jpg": ["A dog"]}
    assert read(made, "val")[0] == {"b.jpg": ["A cat"], "d.jpg": ["A pig"]}


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(KARPATHY, id="karpathy"),
        pytest.param(
            '{"file": "a.jpg", "text": "A", "split": "train"}\n{"file": "c.jpg", "text": "B", "split": "val"}',
            id="lines",
        ),
    ],
)
def test_json_that_names_splits_serves_train_and_val(tmp_path: Path, text: str) -> None:
    made = source(tmp_path, text)
    made = Captions(name="pets", images=tmp_path, train=made.train, val=made.train)

    assert "a.jpg" in read(made)[0]
    assert list(read(made, "val")[0]) == ["c.jpg"]


def test_one_open_quotation_mark_costs_one_line(tmp_path: Path) -> None:
    lines = [f"{number}.jpg,a dog number {number},here" for number in range(56)]
    lines[9] = '9.jpg,"a dog with no end,here'
    lines[20] = '20.jpg,"a dog\non two lines",here'

    examples, findings = read(source(tmp_path, "file,caption,place\n" + "\n".join(lines) + "\n"))

    assert set(examples) == {f"{number}.jpg" for number in range(56)} - {"9.jpg"}
    assert examples["20.jpg"] == ["a dog on two lines"]
    assert noted(findings) == {Kind.OPEN_QUOTE: ['train:11: 9.jpg,"a dog with no end,here']}


def test_an_open_quotation_mark_in_the_last_line_is_named(tmp_path: Path) -> None:
    examples, findings = read(source(tmp_path, OWN + 'c.jpg,"A bird\nd.jpg,A cow\n'))

    assert list(examples) == ["a.jpg", "b.jpg", "d.jpg"]
    assert noted(findings) == {Kind.OPEN_QUOTE: ['train:5: c.jpg,"A bird']}


def test_a_line_of_json_that_is_no_caption_is_noted(tmp_path: Path) -> None:
    _, findings = read(source(tmp_path, JSON_LINES + '{"file_name": "c.jpg", "text": 5}\n'))

    assert noted(findings) == {Kind.NOT_A_CAPTION: ['train:5: {"file_name": "c.jpg", "text": 5}']}


def test_one_file_for_both_splits_needs_a_column_that_tells_them_apart(tmp_path: Path) -> None:
    made = source(tmp_path, OWN)

    with pytest.raises(DataError, match="is both `train` and `val`; expected a table or JSON lines with a column"):
        read(Captions(name="pets", images=tmp_path, train=made.train, val=made.train))


def test_flickr30ks_line_without_its_caption_is_noted(tmp_path: Path) -> None:
    made = source(tmp_path, PIPES + "c.jpg| 4   A dog runs across the grass .\n")

    examples, findings = read(made)

    assert set(examples) == {"a.jpg", "b.jpg"}
    assert noted(findings) == {Kind.NOT_A_CAPTION: ["train:5: c.jpg| 4   A dog runs across the grass ."]}


def test_quotation_marks_of_flickr30ks_captions_are_their_own(tmp_path: Path) -> None:
    made = source(tmp_path, PIPES + 'c.jpg| 0|"Stop" says the sign\nc.jpg| 1| "Go\n')

    assert read(made)[0]["c.jpg"] == ['"Stop" says the sign', '"Go']


@pytest.mark.parametrize(
    ("text", "line"),
    [
        pytest.param(TOKENS + "c.jpg\tno number\n", "train:4: c.jpg\tno number", id="tokens"),
        pytest.param(OWN + "c.jpg\n", "train:5: c.jpg", id="one field"),
        pytest.param(OWN + ",A bird\n", "train:5: ,A bird", id="no file"),
        pytest.param(SEMICOLONS + "a;b;c\n", "train:5: a;b;c", id="too many fields"),
    ],
)
def test_lines_that_are_no_caption_are_noted_with_their_number(tmp_path: Path, text: str, line: str) -> None:
    examples, findings = read(source(tmp_path, text))

    assert set(examples) == {"a.jpg", "b.jpg"}
    assert noted(findings) == {Kind.NOT_A_CAPTION: [line]}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        pytest.param("", "empty; expected COCO captions", id="empty"),
        pytest.param("[]", r"a JSON list, as labelled scenes are \(`data\.hazards`\); expected", id="a list"),
        pytest.param(
            "a.jpg\nb.jpg\n", "a list of names; the file of their captions belongs into `captions`", id="list"
        ),
        pytest.param(
            "image,words\na,b\n",
            "the first line 'image,words' names no column of images and of captions; expected COCO",
            id="other columns",
        ),
        pytest.param("file,caption\na.jpg,개\n".encode("cp949"), "not UTF-8; save it as UTF-8", id="another encoding"),
        pytest.param(
            b"file,caption\n" + b"a.jpg,x\n" * 3000 + "b.jpg,개\n".encode("cp949"),
            r"not UTF-8 after line \d+; save it",
            id="another encoding further down",
        ),
        pytest.param(b"\xff\xd8\xff\xe0 JFIF", "a JPEG image, not a file of captions", id="an image"),
        pytest.param(b"PK\x03\x04" + b"x" * 20, r"an Excel workbook \(\.xlsx\).*save it as CSV UTF-8", id="xlsx"),
        pytest.param("file,caption\n".encode("utf-16"), "UTF-16; save it as UTF-8", id="UTF-16"),
        pytest.param(INSTANCES, "COCO instances; boxes belong into `data.boxes`", id="boxes"),
        pytest.param("file,caption,split\na.jpg,A dog,trian\n", "split: 'trian' is none of dev, test", id="split"),
        pytest.param("file,caption\na.jpg," + "x" * 200_000, "field larger than field limit", id="endless field"),
        pytest.param("file,caption\n" + "x" * 1_100_000, "more than 1,048,576 characters", id="endless line"),
    ],
)
def test_a_file_in_no_known_format_is_told_what_was_expected(tmp_path: Path, text: str | bytes, complaint: str) -> None:
    with pytest.raises(DataError, match=rf"/train:?.*{complaint}"):
        read(source(tmp_path, text))


def test_a_list_that_names_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="train: names no image; with `captions` given, expected one name a line"):
        read(source(tmp_path, "\n", together=TOKENS))


def test_files_that_are_not_there_are_named(tmp_path: Path) -> None:
    made = Captions(name="pets", images=tmp_path, train=tmp_path / "none.csv", val=tmp_path / "none2.csv")

    with pytest.raises(DataError, match=r"none\.csv: No such file"):
        read(made)
