"""The configuration: strict, and clear about what is wrong."""

import re
from pathlib import Path

import pytest
import yaml

from edge import config
from edge.errors import Misconfigured
from tests.edge.conftest import Write

SHIPPED = sorted((Path(__file__).resolve().parents[2] / "config").glob("edge*.yaml"))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_what_is_shipped_can_be_read(path: Path) -> None:
    settings = config.load(path)

    assert settings.bundle == path.parent.parent / "models" / "wordcam-1"


def test_paths_start_at_the_files_folder(write_config: Write, tmp_path: Path) -> None:
    settings = config.load(write_config(bundle="../models/x", outbox={"path": "/var/outbox.sqlite"}))

    assert settings.bundle == tmp_path.parent / "models" / "x"
    assert settings.outbox.path == Path("/var/outbox.sqlite")


@pytest.mark.parametrize(
    ("sections", "said"),
    [
        ({"brigde": "x"}, "brigde: unknown key; did you mean `bundle`?"),
        ({"gate": {"min_gap": 1}}, "gate.min_gap: unknown key; did you mean `min_gap_seconds`?"),
        ({"camera": {"kind": "v4l2", "path": "x"}}, "camera.path: unknown key; known here: "),
        ({"mqtt": {"host": "h", "tls": {"cafile": "x"}}}, "mqtt.tls.cafile: unknown key; did you mean `ca_file`?"),
        (
            {"camera": {"kind": "webcam"}},
            "camera.kind: 'webcam' is unknown; use one of v4l2, picamera, rtsp, snapshot, replay",
        ),
        ({"camera": {"device": "/dev/video0"}}, "camera: required key `kind` is missing; use one of v4l2"),
        ({"camera": {"kind": "rtsp"}}, "camera: required key `url` is missing"),
        ({"camera": {"kind": "rtsp", "url": "ftp://x"}}, "camera.url: Expected `str`: an address like rtsp://"),
        ({"site": "North Gate"}, "site: Expected `str`: 1 to 63 of a-z, 0-9 and inner hyphens"),
        ({"mqtt": {"host": "h", "port": "1883"}}, "mqtt.port: Expected `int | null`, got `str`"),
        ({"mqtt": {"host": "h", "port": 70000}}, "mqtt.port: Expected `int` <= 65535"),
        (
            {"mqtt": {"host": "mqtt://h:1883"}},
            "mqtt: `host`: 'mqtt://h:1883' holds a scheme and a port; write `host: h`",
        ),
        ({"mqtt": {"host": "h:1883"}}, "mqtt: `host`: 'h:1883' holds a port; write `host: h` and `port: 1883`"),
        ({"threads": 0}, "threads: Expected `int` >= 1"),
        ({"bundle": 3}, "bundle: expected a path, got 3"),
        (
            {"camera": {"kind": "v4l2", "zones": {"North Door": [[0, 0], [1, 0], [1, 1]]}}},
            "camera.zones",
        ),
        (
            {"camera": {"kind": "v4l2", "zones": {"door": [[0, 0], [1, 0]]}}},
            "camera.zones.door: Expected `array` of length >= 3",
        ),
        (
            {"camera": {"kind": "v4l2", "zones": {"door": [[0, 0], [300, 0], [1, 1]]}}},
            "camera.zones.door[1][0]: Expected `float` <= 1",
        ),
        (
            {"camera": {"kind": "v4l2", "zones": {"door": [[0, 0], [1, 1], [1, 0], [0, 1]]}}},
            "camera: `zones.door`: its outline crosses itself after corner 1; write them in order around the area",
        ),
        (
            {"camera": {"kind": "v4l2", "masks": [[[0, 0], [0.5, 0.5], [1, 1]]]}},
            "camera: `masks[0]`: its corners lie on a line",
        ),
        ({"cameras": [{"kind": "v4l2"}]}, "a device has either `camera` or `cameras`; write one of them"),
        (
            {"camera": None, "cameras": [{"kind": "v4l2"}, {"kind": "v4l2", "device": "/dev/video2"}]},
            "two of `cameras` are called 'cam-0'; give each a `stream` of its own",
        ),
        ({"camera": None}, "a device has either `camera` or `cameras`"),
        ({"camera": None, "cameras": [{"kind": "v4l2", "path": "x"}]}, "cameras[0].path: unknown key"),
        ({"visits": {"stay_seconds": [0]}}, "visits.stay_seconds[0]: Expected `int` >= 1"),
        ({"gate": [1]}, "gate: Expected `object`, got `array`"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_wrong_key_or_value_is_named(write_config: Write, sections: dict[str, object], said: str) -> None:
    path = write_config(**sections)

    with pytest.raises(Misconfigured) as caught:
        config.load(path)

    assert re.match(rf"{re.escape(str(path))}(:\d+)?: {re.escape(said)}", str(caught.value))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"site: a\nsite: b\n", ":2: the key `site` stands twice"),
        (b"site: [a\n", ":2: not YAML: expected ',' or ']'"),
        (b"- a\n- b\n", ": expected keys with values, got a list"),
        (b"", ": required key `site` is missing"),
        (b"site: \xff\n", ":1: byte 6 is not UTF-8"),
        (b"site: !!python/object:os.system x\n", ":1: not YAML: could not determine a constructor"),
        (b"site: a\x00b\n", ": not YAML: "),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_is_no_yaml_is_named(tmp_path: Path, text: bytes, said: str) -> None:
    path = tmp_path / "edge.yaml"
    path.write_bytes(text)

    with pytest.raises(Misconfigured) as caught:
        config.load(path)

    assert str(caught.value).startswith(f"{path}{said}")
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"none\.yaml: No such file"):
        config.load(tmp_path / "none.yaml")


def test_every_default_passes_its_own_limits(write_config: Write) -> None:
    tree = yaml.safe_load(write_config(camera={"kind": "v4l2"}).read_text())
    settings = config.load(write_config(**tree))
    values = {name: getattr(settings.gate, name) for name in settings.gate.__struct_fields__}

    assert config.load(write_config(camera={"kind": "v4l2"}, gate=values)) == settings


def test_keys_of_version_0_1_0_are_read(write_config: Write) -> None:
    old = config.load(write_config(closer={"crops": 0, "doubt": 0.2}))

    assert old.crops == config.Crops(per_frame=0, min_evidence=0.2)


def test_a_home_folder_is_expanded(write_config: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")

    assert config.load(write_config(bundle="~/models/x")).bundle == Path("/home/ada/models/x")


def test_one_of_several_cameras_is_chosen_by_its_stream(write_config: Write) -> None:
    cameras = [{"kind": "v4l2"}, {"kind": "rtsp", "stream": "yard", "url": "rtsp://192.0.2.7/s"}]
    settings = config.load(write_config(camera=None, cameras=cameras))

    assert [camera.stream for camera in settings.every_camera] == ["cam-0", "yard"]
    assert settings.of("yard").camera.stream == "yard"
    assert settings.of("yard").has_several is False
    with pytest.raises(Misconfigured, match=r"several cameras \(cam-0, yard\); name one: --stream cam-0"):
        settings.of(None)
    with pytest.raises(Misconfigured, match="no camera is called 'yrd'; did you mean `yard`"):
        settings.of("yrd")


def test_a_list_of_one_camera_is_one_camera(write_config: Write) -> None:
    settings = config.load(write_config(camera=None, cameras=[{"kind": "v4l2", "stream": "yard"}]))

    assert settings.of(None).camera.stream == settings.camera.stream == "yard"
    assert settings.has_several is False
