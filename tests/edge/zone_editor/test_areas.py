"""Areas in edge.yaml: written into the file of an operator, with all else as it is."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge import config, starter
from edge.errors import Misconfigured
from edge.starter import CameraChoice
from edge.zone_editor import areas
from edge.zone_editor.areas import Areas

DOOR = ((0.6, 0.4), (0.9, 0.4), (0.9, 1.0), (0.6, 1.0))
YARD = ((0.0, 0.5), (0.5, 0.5), (0.5, 1.0))
DRAWN = Areas(zones={"north-door": DOOR, "yard": YARD}, masks=(YARD,))


def write(folder: Path, camera: str) -> Path:
    path = folder / "edge.yaml"
    path.write_text(
        f"# Mine.\nsite: lab\ndevice: dev-1\n\n{camera}\n# The outbox.\noutbox: {{path: o}}\nmqtt: {{host: h}}\n",
        encoding="utf-8",
    )
    return path


@pytest.mark.parametrize(
    "camera",
    [
        "camera:\n  kind: v4l2\n  stream: cam-0   # mine\n",
        "camera:\n  kind: v4l2\n  zones:   # old\n    old: [[0, 0], [1, 0], [1, 1]]\n  masks: []\n  rotate: 90\n",
        "camera:   # the one\n    masks:\n    - - [0, 0]\n      - [1, 0]\n      - [1, 1]\n    kind: v4l2\n",
    ],
    ids=["none", "others", "a list of lists"],
)
def test_areas_take_the_place_of_those_that_are_there(tmp_path: Path, camera: str) -> None:
    path = write(tmp_path, camera)
    before = config.load(path)

    path.write_text(made := areas.put(path, DRAWN), encoding="utf-8")

    after = config.load(path)
    assert (after.camera.zones, after.camera.masks) == (DRAWN.zones, DRAWN.masks)
    wanted = msgspec.structs.replace(before.camera, zones=DRAWN.zones, masks=DRAWN.masks)
    assert after == msgspec.structs.replace(before, single=wanted)
    assert made.startswith("# Mine.\n")
    assert "\n# The outbox.\noutbox:" in made
    assert "old: " not in made


SEVERAL = {
    "dashes indented": """cameras:   # two
  - kind: v4l2
    stream: gate   # mine
  # the yard
  - kind: rtsp
    stream: yard
    url: rtsp://192.0.2.7/s
    rotate: 90
""",
    "dashes not indented, zones first": """cameras:
- kind: v4l2
  stream: gate
- zones:
    old: [[0, 0], [1, 0], [1, 1]]
  # the yard
  masks:
  - - [0, 0]
    - [1, 0]
    - [1, 1]
  kind: rtsp
  stream: yard
  url: rtsp://192.0.2.7/s
""",
    "wide dashes, another item after it": """cameras:
    -   kind: rtsp
        stream: yard
        zones:
            old: [[0, 0], [1, 0], [1, 1]]
        url: rtsp://192.0.2.7/s
    -   {kind: v4l2, stream: gate}
""",
}


@pytest.mark.parametrize("cameras", SEVERAL.values(), ids=SEVERAL)
def test_of_several_cameras_one_gets_its_areas_and_the_others_stay(tmp_path: Path, cameras: str) -> None:
    path = write(tmp_path, cameras)
    before = config.load(path)

    path.write_text(made := areas.put(path, DRAWN, "yard"), encoding="utf-8")

    after = config.load(path)
    yard, gate = after.of("yard").camera, after.of("gate").camera
    assert (yard.zones, yard.masks) == (DRAWN.zones, DRAWN.masks)
    assert yard == msgspec.structs.replace(before.of("yard").camera, zones=DRAWN.zones, masks=DRAWN.masks)
    assert gate == before.of("gate").camera
    assert [camera.stream for camera in after.cameras] == [camera.stream for camera in before.cameras]
    comments = [line.partition("#")[2] for line in cameras.splitlines() if "#" in line]
    assert all(f"#{comment}" in made for comment in comments)
    assert "old: " not in made

    path.write_text(areas.put(path, Areas(), "yard"), encoding="utf-8")
    assert "zones" not in path.read_text(encoding="utf-8")


def test_one_camera_of_a_list_may_be_drawn_for_without_naming_it(tmp_path: Path) -> None:
    path = write(tmp_path, "cameras:\n  - kind: v4l2\n    stream: yard\n")

    path.write_text(areas.put(path, DRAWN), encoding="utf-8")

    assert config.load(path).of("yard").camera.zones == DRAWN.zones


def test_which_of_several_cameras_is_meant_must_be_said(tmp_path: Path) -> None:
    path = write(tmp_path, SEVERAL["dashes indented"])

    with pytest.raises(Misconfigured, match=r"several cameras \(gate, yard\); name one"):
        areas.put(path, DRAWN)
    with pytest.raises(Misconfigured, match="no camera is called 'barn'"):
        areas.put(path, DRAWN, "barn")


def test_a_camera_in_one_line_of_a_list_is_left_alone(tmp_path: Path) -> None:
    path = write(tmp_path, SEVERAL["wide dashes, another item after it"])

    with pytest.raises(Misconfigured, match="`cameras` is written in a way that this program cannot change"):
        areas.put(path, DRAWN, "gate")


def test_no_areas_leave_no_keys(tmp_path: Path) -> None:
    path = write(tmp_path, "camera:\n  kind: v4l2\n  zones:\n    old: [[0, 0], [1, 0], [1, 1]]\n")

    made = areas.put(path, Areas())

    assert "zones" not in made


def test_the_file_of_init_keeps_its_comments(tmp_path: Path) -> None:
    path = tmp_path / "edge.yaml"
    first = starter.text(site="a", device="b", camera=CameraChoice({"kind": "v4l2"}, "one"), host="h")
    path.write_text(first, encoding="utf-8")

    made = areas.put(path, DRAWN)

    assert set(first.splitlines()) <= set(made.splitlines())


@pytest.mark.parametrize("camera", ["camera: {kind: v4l2}", "'camera':\n  kind: v4l2", "camera: {\n  kind: v4l2}"])
def test_what_cannot_be_changed_is_left_alone(tmp_path: Path, camera: str) -> None:
    path = write(tmp_path, camera)

    with pytest.raises(Misconfigured, match="`camera` is written in a way that this program cannot change"):
        areas.put(path, DRAWN)


@given(st.dictionaries(st.from_regex(r"[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?", fullmatch=True), st.just(DOOR), max_size=3))
def test_what_the_page_sends_comes_back_as_it_was(zones: dict[str, config.Polygon]) -> None:
    drawn = Areas(zones=zones, masks=(YARD,))

    assert areas.read(msgspec.json.encode(drawn)) == drawn


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"{", "truncated"),
        (b'{"zones": {"North Door": [[0, 0], [1, 0], [1, 1]]}}', "1 to 63 of a-z, 0-9"),
        (b'{"zones": {"door": [[0, 0], [1, 0]]}}', "length >= 3"),
        (b'{"masks": [[[0, 0], [1, 1], [1, 0], [0, 1]]]}', "its outline crosses itself"),
        (b'{"masks": [[[0, 0], [2, 1], [1, 0]]]}', "<= 1"),
        (b'{"lasers": []}', "lasers"),
    ],
)
def test_what_no_camera_can_have_is_refused(body: bytes, problem: str) -> None:
    with pytest.raises(Misconfigured, match=problem):
        areas.read(body)
