"""The generated set of COCO's size, and the memory that preparing it takes."""

import json
from pathlib import Path

import pytest

from bench.capacity import training_memory


def test_a_set_keeps_cocos_proportions_and_links_its_pictures(tmp_path: Path) -> None:
    recipe = training_memory.generate(tmp_path / "set", 600)

    train = json.loads((recipe.parent / "captions_train.json").read_text())
    val = json.loads((recipe.parent / "captions_val.json").read_text())
    assert [len(train["images"]), len(train["annotations"]), len(val["images"])] == [600, 3001, 25]
    files = {image["file_name"]: recipe.parent / "images" / image["file_name"] for image in train["images"]}
    assert all(path.is_file() for path in files.values())
    assert len({path.stat().st_ino for path in files.values()}) == training_memory.DIFFERENT
    assert not {image["file_name"] for image in val["images"]} & set(files)


def test_a_failing_process_is_reported(tmp_path: Path) -> None:
    with pytest.raises(training_memory.Failed, match=r"prepare .*none\.yaml: .*No such file"):
        training_memory.run("prepare", tmp_path / "none.yaml", "--runs", tmp_path)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_ten_times_the_pictures_take_less_than_three_times_the_memory(capsys: pytest.CaptureFixture[str]) -> None:
    assert training_memory.main(["--json"]) == 0

    figures = {line["what"]: line for line in json.loads(capsys.readouterr().out)}
    memory = figures["peak memory of prepare --check"]
    killed = figures["unknown after a kill, and opened then"]
    assert figures["pictures opened"]["whole"] == 123_287
    assert memory["ratio"] < 3
    assert memory["whole"] < 300
    assert 0 < killed["tenth"] == killed["whole"] < 123_287
