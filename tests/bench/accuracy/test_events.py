"""Films through the device's and the server's own code: what is counted, and what is refused."""

import json
import shutil
from datetime import timedelta
from pathlib import Path

import cv2
import numpy as np
import pytest
from msgspec.structs import replace

from bench.accuracy import events
from bench.accuracy.events import Calm, Danger, Outcome, Seconds
from bench.accuracy.film_device import BEGIN
from bench.accuracy.film_server import FilmServer
from contract import bundle
from contract.caption import Caption, Hazard
from contract.examples import CAPTION

PER_SECOND = 5
RED, BLUE = (0, 0, 255), (255, 0, 0)
RULES = "rules: [{name: fire, severity: critical, hazards: {fire: 0.5}, says: [fire]}]\n"


def outcome(label: str, *alarms: tuple[str, float], texts: int = 0) -> Outcome:
    return Outcome(file="a.mp4", label=label, seconds=90.0, captions=9, texts=texts, alarms=alarms)


def film(path: Path, *scenes: tuple[tuple[int, int, int], float]) -> None:
    """Write plain pictures, five a second, one folder a film."""
    path.mkdir()
    colours = [colour for colour, seconds in scenes for _ in range(round(seconds * PER_SECOND))]
    for number, colour in enumerate(colours):
        cv2.imwrite(str(path / f"{number:04}.png"), np.full((96, 128, 3), colour, np.uint8))


@pytest.fixture(scope="module")
def weighing(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny bundle, which takes much red for a fire."""
    copy = shutil.copytree(tiny, tmp_path_factory.mktemp("weighing") / "bundle")
    bundle.write(copy, replace(bundle.load(copy), evidence={"fire": 0.5, "gun": 0.99, "knife": 0.99}))
    return copy


@pytest.fixture
def listed(tmp_path: Path) -> Path:
    film(tmp_path / "burning", (BLUE, 2), (RED, 8))
    film(tmp_path / "flash", (BLUE, 2), (RED, 0.4), (BLUE, 6))
    film(tmp_path / "calm", (BLUE, 4))
    path = tmp_path / "clips.json"
    clips = [("burning", "fire"), ("flash", "none"), ("calm", "none")]
    path.write_text(json.dumps([{"file": file, "label": label} for file, label in clips]), encoding="utf-8")
    (tmp_path / "rules.yaml").write_text(RULES, encoding="utf-8")
    return path


def test_films_go_through_the_devices_loop_and_the_servers_incidents(
    weighing: Path, listed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--bundle", str(weighing), "--clips", str(listed), "--rules", str(listed.parent / "rules.yaml")]

    code = events.main([*words, "--json", "--detail", str(listed.parent / "detail.jsonl")])

    said = capsys.readouterr()
    assert code == 0, said.err
    labels = json.loads(said.out)["labels"]
    assert list(labels) == ["fire", "none"]
    assert (labels["fire"]["clips"], labels["fire"]["alarmed"], labels["fire"]["right"]) == (1, 1, 1)
    assert 2 < labels["fire"]["seconds_to_alarm"]["p50"] == labels["fire"]["seconds_to_alarm"]["p95"] <= 5
    assert labels["none"] == {"clips": 2, "alarmed": 0, "hours": pytest.approx(12 / 3600, abs=0.001), "texts": 0}
    lines = [json.loads(line) for line in (listed.parent / "detail.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [(line["label"], line["texts"], [rule for rule, _ in line["alarms"]]) for line in lines] == [
        ("fire", 1, ["fire"]),
        ("none", 0, []),
        ("none", 0, []),
    ]


def test_people_get_a_table(weighing: Path, listed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert events.main(["--bundle", str(weighing), "--clips", str(listed)]) == 0
    assert "seconds to" in capsys.readouterr().out


def test_dangers_and_calm_are_counted_apart() -> None:
    found = events.count(
        [
            outcome("none", ("gun", 3.0), texts=2),
            outcome("fight", ("fight", 1.5), ("gun", 0.5)),
            outcome("none"),
            outcome("fight", ("fire", 1.0)),
            outcome("fight", ("fight", 2.5)),
            outcome("gun"),
        ]
    )

    assert list(found) == ["gun", "fight", "none"]
    assert found["gun"] == Danger(1, 0, 0, Seconds(None, None))
    assert found["fight"] == Danger(3, 3, 2, Seconds(1.5, 2.5))
    assert found["none"] == Calm(2, 1, 0.05, 2)


def test_a_kindred_danger_is_right_too() -> None:
    found = events.count([outcome("falling", ("fallen", 4.0)), outcome("weapon", ("knife-in-hand", 2.0))])

    assert [one.right for one in found.values() if isinstance(one, Danger)] == [1, 1]


def burning(seconds: float, number: int) -> Caption:
    at = BEGIN + timedelta(seconds=seconds)
    hazards = (Hazard("fire", 0.9),)
    return replace(
        CAPTION, text="a room", hazards=hazards, captured_at=at, time=at, id=f"burning-{number:04}", seq=number
    )


def test_a_long_fire_is_one_incident_with_few_texts_and_its_end(tmp_path: Path) -> None:
    (tmp_path / "rules.yaml").write_text(RULES, encoding="utf-8")
    server = FilmServer(tmp_path / "rules.yaml", tmp_path)
    captions = [burning(10.0 * number, number) for number in range(18)]

    heard = server.hear(captions, BEGIN + timedelta(hours=1))

    assert len(heard.alarms) == 18
    assert heard.alarms[0].at == BEGIN
    assert heard.texts == 2


def test_one_film_knows_nothing_of_the_other(tmp_path: Path) -> None:
    (tmp_path / "rules.yaml").write_text(RULES, encoding="utf-8")
    server = FilmServer(tmp_path / "rules.yaml", tmp_path)

    first, second = (server.hear([burning(1.0, 0)], BEGIN + timedelta(seconds=2)) for _ in range(2))

    assert first == second
    assert first.texts == 1


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        pytest.param("[", "clips.json: Input data was truncated", id="cut off"),
        pytest.param('{"file": "a"}', "Expected `array`, got `object`", id="no list"),
        pytest.param('[{"file": "a.mp4"}]', "missing required field `label`", id="no label"),
        pytest.param('[{"file": "gone.mp4", "label": "gun"}]', "1 of 1 clips are missing", id="missing film"),
        pytest.param('[{"file": "clips.json", "label": "gun"}]', "not a video that can be played", id="no film"),
        pytest.param("[]", "no clips", id="empty"),
    ],
)
def test_a_list_of_the_wrong_shape_is_named(
    text: str, complaint: str, tiny: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "clips.json"
    file.write_text(text, encoding="utf-8")

    assert events.main(["--bundle", str(tiny), "--clips", str(file)]) == 78
    assert complaint in capsys.readouterr().err


def test_a_bundle_that_is_not_there_is_named(listed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert events.main(["--bundle", str(tmp_path / "gone"), "--clips", str(listed)]) == 78
    assert "gone" in capsys.readouterr().err


def test_rules_that_cannot_be_read_are_named(
    weighing: Path, listed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "broken.yaml").write_text("rules: 7\n", encoding="utf-8")
    words = ["--bundle", str(weighing), "--clips", str(listed), "--rules", str(tmp_path / "broken.yaml")]

    assert events.main(words) == 78
    assert "broken.yaml" in capsys.readouterr().err
