"""What format a file is in, as `wordcam-train init` asks."""

from pathlib import Path

import pytest

from tests.trainer.data.formats import test_captions as files
from trainer.data.formats import detection
from trainer.data.formats.detection import Format
from trainer.errors import DataError


@pytest.mark.parametrize(
    ("text", "format_", "has_splits"),
    [
        (files.COCO, Format.COCO_CAPTIONS, False),
        (files.INSTANCES, Format.COCO_INSTANCES, False),
        (files.KARPATHY, Format.KARPATHY, True),
        (files.JSON_LINES, Format.JSON_LINES, False),
        (files.OWN, Format.TABLE, False),
        ("file;caption;split\n", Format.TABLE, True),
        (files.TOKENS, Format.FLICKR_TOKENS, False),
        ("a.jpg\nb.jpg\n", Format.NAME_LIST, False),
        ('[{"file_path": "train2014/a.jpg", "caption_ko": []}]', Format.AIHUB, True),
        ('[{"file": "a.jpg", "label": "none"}]', Format.SCENES, False),
    ],
)
def test_a_file_s_content_says_its_format(tmp_path: Path, text: str, format_: Format, has_splits: bool) -> None:
    path = tmp_path / "file"
    path.write_text(text, encoding="utf-8")

    found = detection.detect(path)

    assert (found.format, found.has_splits) == (format_, has_splits)


def test_a_text_is_no_dataset(tmp_path: Path) -> None:
    path = tmp_path / "readme.md"
    path.write_text("# Photographs\n")

    with pytest.raises(DataError, match="begins with '# Photographs'; expected COCO captions"):
        detection.detect(path)
