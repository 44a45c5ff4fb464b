"""Calm film in every weather: what is counted, resumed and refused."""

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from msgspec.structs import replace

from bench.accuracy import calm_film
from bench.accuracy.calm_film import Measured, Weather
from bench.fixtures.weather import WEATHERS
from contract import bundle

RED, BLUE = (0, 0, 255), (255, 0, 0)


def film(path: Path, colour: tuple[int, int, int], seconds: float) -> None:
    """Write plain pictures, five a second."""
    path.mkdir()
    for number in range(round(seconds * 5)):
        cv2.imwrite(str(path / f"{number:04}.png"), np.full((96, 128, 3), colour, np.uint8))


@pytest.fixture(scope="module")
def weighing(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny bundle, which takes much red for a fire."""
    copy = shutil.copytree(tiny, tmp_path_factory.mktemp("weighing") / "bundle")
    bundle.write(copy, replace(bundle.load(copy), evidence={"fire": 0.5, "gun": 0.9999, "knife": 0.9999}))
    return copy


@pytest.fixture
def words(weighing: Path, tmp_path: Path) -> list[str]:
    """Ask for one red camera of two films, and one blue one."""
    film(tmp_path / "red-1", RED, 2)
    film(tmp_path / "red-2", RED, 1)
    film(tmp_path / "blue", BLUE, 2)
    listed = [{"file": "red-1", "camera": "red"}, {"file": "red-2", "camera": "red"}, {"file": "blue"}]
    (tmp_path / "films.json").write_text(json.dumps(listed), encoding="utf-8")
    (tmp_path / "rules.yaml").write_text(
        "rules: [{name: fire, severity: critical, hazards: {fire: 0.5}}]\n", encoding="utf-8"
    )
    films, folder, rules = (str(tmp_path / name) for name in ("films.json", "runs", "rules.yaml"))
    return ["--bundle", str(weighing), "--films", films, "--folder", folder, "--rules", rules, "--json"]


def answer(words: list[str], capsys: pytest.CaptureFixture[str]) -> dict[str, dict[str, object]]:
    code = calm_film.main(words)
    said = capsys.readouterr()
    assert code == 0, said.err
    found: dict[str, dict[str, object]] = json.loads(said.out)["weathers"]
    return found


def test_texts_are_counted_by_weather_and_camera_day(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    found = answer([*words, "--hours", str(40 / 3600), "--weathers", "day", "shake"], capsys)

    assert list(found) == ["day", "shake", "all"]
    assert (found["day"]["cameras"], found["day"]["alarmed"], found["day"]["texts"]) == (2, 1, 2)
    assert found["day"]["hours"] == pytest.approx(20 / 3600, abs=0.001)
    assert found["day"]["texts_per_camera_day"] == pytest.approx(2 * 24 * 3600 / 20)
    assert found["all"]["texts"] == 4


def test_what_was_measured_is_not_measured_again(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = [*words, "--hours", str(8 / 3600), "--weathers", "day"]
    first = answer(asked, capsys)
    results = tmp_path / "runs" / "results.jsonl"
    lines = results.read_bytes()
    results.write_bytes(lines[:-20])
    shutil.rmtree(tmp_path / "red-1")
    film(tmp_path / "red-1", BLUE, 2)

    again = answer(asked, capsys)

    assert again == first
    assert len(results.read_bytes().splitlines()) == 3


def test_sums_go_over_cameras_and_weathers() -> None:
    def one(camera: str, weather: str, texts: int, **rules: int) -> Measured:
        return Measured("a@1.0.0", camera, weather, 1800.0, 9, texts, rules)

    found = calm_film.summarise([one("a", "day", 0), one("b", "day", 3, fire=4), one("a", "rain", 2, fire=1, gun=1)])

    assert found == {
        "day": Weather(2, 1, 1.0, 3, 72.0, {"fire": 4}),
        "rain": Weather(1, 1, 0.5, 2, 96.0, {"fire": 1, "gun": 1}),
        "all": Weather(2, 2, 1.5, 5, 80.0, {"fire": 5, "gun": 1}),
    }


@pytest.mark.parametrize("name", WEATHERS)
def test_a_weather_makes_the_same_of_the_same_frame(name: str) -> None:
    bgr = np.random.default_rng(3).integers(0, 256, (90, 160, 3)).astype(np.uint8)

    first, again, later = (WEATHERS[name](bgr, seconds) for seconds in (7.0, 7.0, 12.3))

    assert first.shape == bgr.shape
    assert first.dtype == np.uint8
    assert (first == again).all()
    assert name == "day" or (first != later).any()
    assert name == "day" or (first != bgr).mean() > 0.05


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        pytest.param("[", "films.json: Input data was truncated", id="cut off"),
        pytest.param('[{"camera": "a"}]', "missing required field `file`", id="no file"),
        pytest.param('[{"file": "gone.mp4"}]', "1 of 1 films are missing", id="missing film"),
        pytest.param("[]", "no films", id="empty"),
    ],
)
def test_a_list_of_the_wrong_shape_is_named(
    text: str, complaint: str, tiny: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "films.json").write_text(text, encoding="utf-8")
    words = ["--bundle", str(tiny), "--films", str(tmp_path / "films.json"), "--folder", str(tmp_path / "runs")]

    assert calm_film.main(words) == 78
    assert complaint in capsys.readouterr().err
