"""`wordcam-edge init`: a file that works where it stands, whatever the machine is called and looks through."""

from pathlib import Path

import pytest

from edge import cli, config, starter
from edge.errors import MISCONFIGURED, Misconfigured
from edge.look.camera import video_devices
from edge.look.camera.video_devices import VideoDevice
from tests.edge import pictures

USB = VideoDevice(Path("/dev/video2"), "uvcvideo", "HD Webcam")
RIBBON = VideoDevice(Path("/dev/video0"), "unicam", "unicam")


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_file_is_read_back_with_what_was_asked_for(empty_folder: Path) -> None:
    pictures.folder(empty_folder / "film", [pictures.RED])

    code = cli.main(
        ["init", "--site", "north-gate", "--device", "pi-01", "--camera", "film", "--server", "mqtt.example"]
    )
    settings = config.load(Path("edge.yaml"))

    assert code == 0
    assert (settings.site, settings.device, settings.mqtt.host) == ("north-gate", "pi-01", "mqtt.example")
    assert settings.camera == config.Replay(path=empty_folder / "film")
    assert settings.bundle == config.DEFAULT_BUNDLE
    assert settings.outbox.path == empty_folder / "outbox" / "outbox.sqlite"


def test_it_says_what_comes_next_and_what_the_model_may_not_be_used_for(capsys: pytest.CaptureFixture[str]) -> None:
    cli.main(["init"])

    said = capsys.readouterr().out
    assert "research and education only" in said
    assert [line.split()[1] for line in said.splitlines() if line.startswith("  wordcam-edge")] == [
        "caption",
        "check",
        "run",
    ]


def test_a_file_that_is_there_stays_unless_it_is_forced(capsys: pytest.CaptureFixture[str]) -> None:
    Path("edge.yaml").write_text("mine", encoding="utf-8")

    refused = cli.main(["init"])

    assert refused == MISCONFIGURED
    assert "edge.yaml: is there already; --force replaces it" in capsys.readouterr().err
    assert Path("edge.yaml").read_text(encoding="utf-8") == "mine"
    assert cli.main(["init", "--force"]) == 0


@pytest.mark.parametrize("option", [["--site", "North Gate"], ["--device", "a_b"], ["--camera", "no-film.mp4"]])
def test_what_cannot_work_is_refused_and_nothing_is_written(option: list[str]) -> None:
    assert cli.main(["init", *option]) == MISCONFIGURED
    assert not Path("edge.yaml").exists()


def test_without_a_configuration_every_verb_names_init(capsys: pytest.CaptureFixture[str]) -> None:
    for verb in ("run", "look", "send", "check"):
        assert cli.main([verb]) == MISCONFIGURED
        assert "`wordcam-edge init` writes one" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["1e5", "null", "0x10", "12", "on"])
def test_a_name_that_yaml_would_take_for_something_else_stays_a_name(name: str) -> None:
    cli.main(["init", "--site", name, "--device", name, "--server", name])

    settings = config.load(Path("edge.yaml"))
    assert (settings.site, settings.device, settings.mqtt.host) == (name, name, name)


@pytest.mark.parametrize(
    ("devices", "keys"),
    [
        ([], {"kind": "v4l2", "device": "/dev/video0"}),
        ([RIBBON], {"kind": "picamera"}),
        ([RIBBON, USB], {"kind": "v4l2", "device": "/dev/video2"}),
    ],
    ids=["none", "a ribbon camera", "both"],
)
def test_the_camera_of_this_machine_is_chosen(devices: list[VideoDevice], keys: dict[str, str]) -> None:
    assert starter.found(devices).keys == keys


@pytest.mark.parametrize(
    ("word", "kind"),
    [("picamera", "picamera"), ("rtsp://10.0.0.2/live?a=1#b", "rtsp"), ("/dev/video9", "v4l2")],
)
def test_a_named_camera_is_taken_by_its_form(word: str, kind: str) -> None:
    Path("edge.yaml").write_text(
        starter.text(site="a", device="b", camera=starter.named(word), host="localhost"), encoding="utf-8"
    )

    assert starter.named(word).keys["kind"] == kind
    assert type(config.load(Path("edge.yaml")).camera).__struct_config__.tag == kind


def test_a_camera_that_is_none_of_these_is_refused() -> None:
    with pytest.raises(Misconfigured, match="no-such: no such file; name a device"):
        starter.named("no-such")


@pytest.mark.parametrize(
    ("host", "name"),
    [("Pi_01.local", "pi-01"), ("raspberrypi", "raspberrypi"), ("카메라", "device-1"), ("x" * 80, "x" * 63)],
)
def test_a_hosts_name_becomes_a_devices(host: str, name: str) -> None:
    assert starter.device_name(host) == name


def test_a_device_that_captures_video_is_told_from_one_that_converts_it() -> None:
    def answer(capabilities: int) -> bytes:
        return (
            b"uvcvideo".ljust(16, b"\0")
            + b"HD Webcam".ljust(32, b"\0")
            + bytes(40)
            + capabilities.to_bytes(4, "little")
            + bytes(12)
        )

    assert video_devices.read(Path("/dev/video0"), answer(0x04200001)) == VideoDevice(
        Path("/dev/video0"), "uvcvideo", "HD Webcam"
    )
    assert video_devices.read(Path("/dev/video1"), answer(0x04A00000)) is None


def test_what_is_no_device_is_no_camera(tmp_path: Path) -> None:
    (tmp_path / "video0").write_text("no camera", encoding="utf-8")

    assert list(video_devices.found(tmp_path)) == []
