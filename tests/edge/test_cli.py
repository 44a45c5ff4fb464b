"""The command line as a user meets it: each thing that can be wrong gives one clear line and the right exit code."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from edge.errors import MISCONFIGURED, TRY_AGAIN
from testing.loopback import free_port
from testing.mosquitto import Mosquitto
from tests.edge import pictures
from tests.edge.conftest import Write
from tests.edge.program import ROOT, edge, last_line


def test_caption_answers_for_people(tiny: Path, tmp_path: Path) -> None:
    file = pictures.write(tmp_path / "red.png", pictures.plain(pictures.RED))

    done = edge("caption", file, "--bundle", tiny)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"{file}: a fire burning ")
    assert "fire 100%" in done.stdout


def test_caption_answers_for_scripts(tiny: Path, tmp_path: Path) -> None:
    files = [
        pictures.write(tmp_path / f"{number}.png", pictures.plain(colour))
        for number, colour in enumerate((pictures.BLUE, pictures.RED))
    ]

    done = edge("caption", *files, "--bundle", tiny, "--json")
    said = [json.loads(line) for line in done.stdout.splitlines()]

    assert done.returncode == 0
    assert [answer["file"] for answer in said] == [str(file) for file in files]
    assert set(said[0]) == {"file", "text", "confidence", "labels", "hazards", "language", "model"}
    assert said[0]["text"] == "a man walking on the street"
    assert said[0]["labels"][0]["name"] == "person"
    assert said[1]["hazards"][0] == {"term": "fire", "probability": 1.0}
    assert (said[0]["language"], said[0]["model"]) == ("en", "tiny@0.1.0")


def test_a_broken_picture_is_named_and_the_others_are_captioned(tiny: Path, tmp_path: Path) -> None:
    good = pictures.write(tmp_path / "good.png", pictures.plain(pictures.RED))
    (tmp_path / "bad.jpg").write_bytes(b"no picture")

    done = edge("caption", tmp_path / "bad.jpg", tmp_path / "none.jpg", good, "--bundle", tiny)

    assert done.returncode == MISCONFIGURED
    assert done.stdout.startswith(f"{good}: ")
    said = "wordcam-edge caption:"
    assert done.stderr.splitlines() == [
        f"{said} {tmp_path}/bad.jpg: not a picture, or a broken one; JPEG, PNG, WebP and BMP can be read",
        f"{said} {tmp_path}/none.jpg: No such file or directory",
    ]


def flip_a_bit(bundle: Path) -> None:
    data = bytearray((bundle / "encoder.tflite").read_bytes())
    data[len(data) // 2] ^= 1
    (bundle / "encoder.tflite").write_bytes(data)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (flip_a_bit, r"encoder.tflite: SHA-256 is "),
        (lambda bundle: (bundle / "card.md").unlink(), "card.md: No such file or directory; copy the bundle again"),
        (lambda bundle: (bundle / "manifest.json").write_text("{"), "manifest.json: Input data was truncated"),
        (shutil.rmtree, "manifest.json: No such file or directory; a bundle is a folder with a manifest.json"),
    ],
    ids=["a flipped bit", "a missing file", "half a manifest", "no bundle"],
)
def test_a_corrupt_bundle_is_named(
    tiny: Path, tmp_path: Path, write_config: Write, frames: Path, spoil: Callable[[Path], object], said: str
) -> None:
    spoil(shutil.copytree(tiny, tmp_path / "bundle"))
    path = write_config()

    for verb in ("look", "check"):
        done = edge(verb, "--config", path)
        assert done.returncode == MISCONFIGURED
        assert f"wordcam-edge {verb}: {tmp_path}/bundle/{said}" in done.stderr


@pytest.mark.parametrize("verb", ["run", "look", "send", "check"])
def test_an_unknown_key_is_named_by_every_verb(write_config: Write, verb: str) -> None:
    path = write_config(mqtt={"hots": "localhost"})

    done = edge(verb, "--config", path)

    assert done.returncode == MISCONFIGURED
    assert last_line(done) == f"wordcam-edge {verb}: {path}:11: mqtt.hots: unknown key; did you mean `host`?"


@pytest.mark.parametrize(
    ("camera", "code", "said"),
    [
        ({"kind": "v4l2", "device": "video7"}, TRY_AGAIN, "video7: no such camera; plug it in"),
        ({"kind": "replay", "path": "none.mp4"}, MISCONFIGURED, "none.mp4: no such file or folder; set `camera.path`"),
        ({"kind": "replay", "path": "edge.yaml"}, MISCONFIGURED, "edge.yaml: not a video that can be played"),
    ],
    ids=["no camera", "no clip", "a broken clip"],
)
def test_a_camera_that_is_not_there_is_named(
    tiny: Path, tmp_path: Path, write_config: Write, camera: dict[str, str], code: int, said: str
) -> None:
    path = write_config(bundle=str(tiny), camera=camera)

    for verb in ("look", "check"):
        done = edge(verb, "--config", path)
        assert done.returncode == code
        assert f"wordcam-edge {verb}: {tmp_path}/{said}" in done.stderr


def test_a_network_camera_that_is_off_is_named(tiny: Path, write_config: Write) -> None:
    url = f"rtsp://127.0.0.1:{free_port()}/stream"

    done = edge("check", "--config", write_config(bundle=str(tiny), camera={"kind": "rtsp", "url": url}))

    assert done.returncode == TRY_AGAIN
    assert f"wordcam-edge check: {url}: the camera cannot be opened" in done.stderr


def test_pull_is_for_network_cameras(tiny: Path, write_config: Write, frames: Path) -> None:
    done = edge("pull", "--config", write_config(bundle=str(tiny)))

    assert done.returncode == MISCONFIGURED
    assert last_line(done) == "wordcam-edge pull: `camera.kind` is replay: only a network camera needs `pull`"


def test_an_outbox_that_is_none_is_named_by_check_and_set_aside_by_look(
    tiny: Path, tmp_path: Path, write_config: Write, frames: Path
) -> None:
    (tmp_path / "outbox.sqlite").write_text("my holiday notes " * 99, encoding="utf-8")
    path = write_config(bundle=str(tiny))

    checked, looked = edge("check", "--config", path), edge("look", "--config", path)

    assert "outbox.sqlite: not an outbox, or a damaged one" in checked.stderr
    assert looked.returncode == 0, looked.stderr
    assert "outbox set aside" in looked.stderr
    assert (tmp_path / "outbox.sqlite.damaged-1").read_text(encoding="utf-8").startswith("my holiday notes")


def test_check_says_what_is_right(tiny: Path, write_config: Write, frames: Path, mosquitto: Mosquitto) -> None:
    path = write_config(bundle=str(tiny), mqtt={"host": "localhost", "port": mosquitto.port})

    done = edge("check", "--config", path)

    assert (done.returncode, done.stderr) == (0, "")
    assert [line.partition(":")[0] for line in done.stdout.splitlines()] == [
        "configuration",
        "bundle",
        "outbox",
        "mqtt",
        "camera",
    ]
    assert "login accepted" in done.stdout


def test_check_names_all_that_is_missing_and_not_the_first_alone(write_config: Write) -> None:
    path = write_config(mqtt={"host": "no-such-host.invalid"}, camera={"kind": "v4l2", "device": "video7"})

    done = edge("check", "--config", path)

    assert done.returncode == MISCONFIGURED
    assert "outbox: " in done.stdout
    assert "no-such-host.invalid: no address is known for this name" in done.stderr
    assert "video7: no such camera" in done.stderr
    assert "bundle/manifest.json: No such file or directory" in done.stderr


def test_check_names_an_mqtt_server_that_does_not_run_and_the_code_says_try_again(
    tiny: Path, write_config: Write, frames: Path
) -> None:
    port = free_port()

    done = edge("check", "--config", write_config(bundle=str(tiny), mqtt={"host": "127.0.0.1", "port": port}))

    assert done.returncode == TRY_AGAIN
    assert f"127.0.0.1:{port}: Connection refused; does an MQTT 5 server run there?" in last_line(done)


def test_bench_reports_every_figure(tiny: Path) -> None:
    done = edge("bench", "--bundle", tiny, "--frames", 10, "--json")
    figures = json.loads(done.stdout)

    assert done.returncode == 0, done.stderr
    assert (figures["frames"], figures["captions"], figures["model"]) == (10, 10, "tiny@0.1.0")
    assert {stage["name"] for stage in figures["stages"]} == {
        *("wait", "gate", "encode", "detect", "weigh", "decode", "store")
    }
    assert figures["overhead"] == pytest.approx(figures["sentence_ms"] / figures["invoke_ms"], rel=0.01)
    assert figures["overhead"] > 1
    assert figures["peak_rss_mib"] > 20
    assert figures["cold_start_seconds"] > 0


def test_bench_on_a_film_and_in_words(tiny: Path) -> None:
    done = edge("bench", "--bundle", tiny, "--source", pictures.bikes())

    assert done.returncode == 0, done.stderr
    assert "cold start to first caption" in done.stdout
    assert "250 frames" in done.stdout


def test_the_shipped_configurations_are_refused_for_nothing_but_their_surroundings() -> None:
    for path in sorted((ROOT / "config").glob("edge*.yaml")):
        done = edge("check", "--config", path)
        assert "is not a key" not in done.stderr
        assert yaml.safe_load(path.read_text(encoding="utf-8"))["bundle"] == "../models/wordcam-1"


def test_the_crops_can_be_changed_and_a_wrong_change_is_named(tiny: Path, tmp_path: Path) -> None:
    file = pictures.write(tmp_path / "red.png", pictures.plain(pictures.RED))

    off = edge("caption", file, "--bundle", tiny, "--crops", "per_frame=0", "--closer", "max_share=0.5")
    wrong = edge("caption", file, "--bundle", tiny, "--crops", "per_frame=9")

    assert off.returncode == 0, off.stderr
    assert wrong.returncode == MISCONFIGURED
    assert last_line(wrong) == "wordcam-edge caption: --crops: per_frame: Expected `int` <= 8"


def test_a_calm_is_forgotten_by_one_word(write_config: Write) -> None:
    path = write_config(outbox={"path": "outbox.sqlite"})

    done = edge("forget-calm", "--config", path)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("cam-0: calm forgotten; the thresholds are those of the model again")
    assert json.loads((path.parent / "outbox.calm.json").read_bytes())["seconds"] == 0


def test_a_calm_that_cannot_be_forgotten_is_named(write_config: Write) -> None:
    path = write_config(outbox={"path": "gone/outbox.sqlite"})

    done = edge("forget-calm", "--config", path)

    assert done.returncode == MISCONFIGURED
    assert (
        "gone/outbox.calm.json: No such file or directory; the folder must exist and this user must write in it"
        in done.stderr
    )
