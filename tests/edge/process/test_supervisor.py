"""The two processes of a device, run as a user runs them."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from edge.errors import TRY_AGAIN
from edge.look.camera import frames_folder
from edge.outbox import process_report
from edge.outbox.outbox import Outbox
from testing.mosquitto import Mosquitto
from testing.waiting import wait_until
from tests.edge import pictures
from tests.edge.conftest import Write
from tests.edge.look.camera.mjpeg import SceneCamera
from tests.edge.program import ROOT, edge, last_line
from tests.edge.send.server import served


def test_look_fills_the_outbox_without_a_server(tiny: Path, tmp_path: Path, write_config: Write, frames: Path) -> None:
    done = edge("look", "--config", write_config(bundle=str(tiny)))

    assert done.returncode == 0, done.stderr
    with Outbox(tmp_path / "outbox.sqlite", 10) as box:
        ledger = box.ledger()
    assert (ledger.frames, ledger.captions, ledger.waiting) == (6, 6, 6)
    assert ledger.video_bytes == sum(file.stat().st_size for file in frames.iterdir())


def test_run_replays_a_real_film_to_its_acknowledged_end(
    tiny: Path, tmp_path: Path, write_config: Write, mosquitto: Mosquitto
) -> None:
    camera = {"kind": "replay", "path": str(pictures.bikes()), "pace": "fast", "looks_per_second": 5}
    mqtt = {"host": mosquitto.host, "port": mosquitto.port}
    with served(mosquitto) as service:
        path = write_config(bundle=str(tiny), camera=camera, mqtt=mqtt)
        done = edge("run", "--config", path, "--summary", tmp_path / "summary.json")

    summary = json.loads((tmp_path / "summary.json").read_text(encoding="utf-8"))
    ledger = summary["ledger"]
    assert done.returncode == 0, done.stderr
    assert ledger["frames"] == 50
    assert ledger["captions"] == len(service.captions) > 5
    assert (ledger["waiting"], ledger["given_up"]) == (0, 0)
    assert 0 < ledger["sent_bytes"] < ledger["video_bytes"] <= pictures.bikes().stat().st_size
    assert "child ended" not in done.stderr, done.stderr
    assert [stage["name"] for stage in summary["stages"]] == [
        "wait",
        "gate",
        "encode",
        "detect",
        "weigh",
        "decode",
        "store",
        "ack",
    ]
    assert f"sent {ledger['sent_bytes']:,} bytes in place of {ledger['video_bytes']:,} bytes of video" in done.stderr
    assert sorted(event.seq for event in service.captions) == list(range(ledger["captions"])), "dangers go first"


def test_several_cameras_have_a_process_each_and_one_that_sends(
    tiny: Path, tmp_path: Path, write_config: Write, frames: Path, mosquitto: Mosquitto
) -> None:
    pictures.folder(tmp_path / "others", [pictures.GREEN, pictures.RED])
    cameras = [
        {"kind": "replay", "path": "frames", "pace": "fast", "stream": "gate"},
        {"kind": "replay", "path": "others", "pace": "fast", "stream": "yard"},
    ]
    mqtt = {"host": mosquitto.host, "port": mosquitto.port}
    with served(mosquitto) as service:
        path = write_config(bundle=str(tiny), camera=None, cameras=cameras, mqtt=mqtt)
        done = edge("run", "--config", path)
        wait_until(lambda: service.statuses[-1][0].cameras, "a status of both cameras")

    assert done.returncode == 0, done.stderr
    assert sorted(event.stream for event in service.captions) == ["gate"] * 6 + ["yard"] * 2
    assert sorted(event.seq for event in service.captions) == list(range(8))
    states = service.statuses[-1][0].cameras or ()
    assert [(one.stream, one.frames, one.captions, one.reason) for one in states] == [
        ("gate", 6, 6, ""),
        ("yard", 2, 2, ""),
    ]


def test_zones_and_masks_are_those_of_their_own_camera(
    tiny: Path, tmp_path: Path, write_config: Write, mosquitto: Mosquitto
) -> None:
    pictures.folder(tmp_path / "frames", [pictures.BLUE] * 50)
    everywhere = [[0, 0], [1, 0], [1, 1], [0, 1]]
    replay = {"kind": "replay", "path": "frames", "pace": "fast"}
    cameras = [
        replay | {"stream": "gate", "zones": {"door": everywhere}},
        replay | {"stream": "yard", "zones": {"lawn": everywhere}},
        replay | {"stream": "cellar", "masks": [everywhere]},
    ]
    mqtt = {"host": mosquitto.host, "port": mosquitto.port}
    with served(mosquitto) as service:
        path = write_config(bundle=str(tiny), camera=None, cameras=cameras, mqtt=mqtt)
        done = edge("run", "--config", path)

    assert done.returncode == 0, done.stderr
    zones: dict[str, set[str]] = {"gate": set(), "yard": set(), "cellar": set()}
    for event in service.captions:
        zones[event.stream] |= {zone.name for visit in event.visits or () for zone in visit.zones}
    assert zones == {"gate": {"door"}, "yard": {"lawn"}, "cellar": set()}
    seen = {event.stream for event in service.captions if any(label.name == "person" for label in event.labels)}
    assert seen == {"gate", "yard"}, "what is behind a mask is seen by nothing"


def test_a_second_run_sums_up_itself_alone(
    tiny: Path, tmp_path: Path, write_config: Write, frames: Path, mosquitto: Mosquitto
) -> None:
    path = write_config(bundle=str(tiny), mqtt={"host": mosquitto.host, "port": mosquitto.port})
    with served(mosquitto):
        for _ in range(2):
            done = edge("run", "--config", path, "--summary", tmp_path / "summary.json")
            assert done.returncode == 0, done.stderr

    assert json.loads((tmp_path / "summary.json").read_text(encoding="utf-8"))["ledger"]["captions"] == 6


def test_run_stops_cleanly_when_asked(tiny: Path, write_config: Write, frames: Path, mosquitto: Mosquitto) -> None:
    camera = {"kind": "replay", "path": "frames", "pace": "real", "loop": True}
    path = write_config(bundle=str(tiny), camera=camera, mqtt={"host": mosquitto.host, "port": mosquitto.port})
    program = [sys.executable, "-m", "edge.cli", "run", "--config", str(path)]
    with served(mosquitto) as service, subprocess.Popen(program, stderr=subprocess.PIPE, text=True, cwd=ROOT) as run:
        wait_until(lambda: len(service.captions) >= 2, "two captions")
        run.send_signal(signal.SIGINT)
        _, said = run.communicate(timeout=60)
        wait_until(lambda: service.statuses[-1][0].reason == "stopped", "the farewell")

    assert run.returncode == 0
    assert "Traceback" not in said
    assert "frames " in said


def test_children_killed_by_chance_are_started_again_and_nothing_is_lost(
    tiny: Path, write_config: Write, frames: Path, mosquitto: Mosquitto
) -> None:
    camera = {"kind": "replay", "path": "frames", "pace": "real", "loop": True, "looks_per_second": 20}
    path = write_config(bundle=str(tiny), camera=camera, mqtt={"host": mosquitto.host, "port": mosquitto.port})
    program = [sys.executable, "-m", "edge.cli", "run", "--config", str(path)]
    with served(mosquitto) as service, subprocess.Popen(program, stderr=subprocess.PIPE, text=True, cwd=ROOT) as run:
        for verb in ("send", "look"):
            before = len(service.captions)
            wait_until(lambda before=before: len(service.captions) > before + 3, f"captions before {verb} is killed")  # type: ignore[misc]
            os.kill(child_of(run.pid, verb), signal.SIGKILL)
        before = len(service.captions)
        wait_until(lambda: len(service.captions) > before + 3, "captions after both were killed")
        run.terminate()
        _, said = run.communicate(timeout=60)

    seen = sorted({event.seq for event in service.captions})
    assert run.returncode == 0, said
    assert seen == list(range(seen[-1] + 1)), "no number is missing"


def test_a_network_camera_and_its_puller_may_go_and_looking_goes_on(
    tiny: Path, tmp_path: Path, write_config: Write, mosquitto: Mosquitto
) -> None:
    mqtt = {"host": mosquitto.host, "port": mosquitto.port}
    with served(mosquitto) as service, SceneCamera() as camera:
        settings = {"kind": "rtsp", "url": camera.url, "looks_per_second": 20, "timeout_seconds": 1.0}
        cooling = {"slow_load_per_core": 1000.0, "slowest_load_per_core": 2000.0}  # whatever else this machine does
        path = write_config(bundle=str(tiny), camera=settings, mqtt=mqtt, cooling=cooling)
        program = [sys.executable, "-m", "edge.cli", "run", "--config", str(path)]
        with subprocess.Popen(program, stderr=subprocess.PIPE, text=True, cwd=ROOT) as run:
            try:
                wait_until(lambda: len(service.captions) > 3, "captions of a network camera")
                looker = child_of(run.pid, "look")
                os.kill(child_of(run.pid, "pull"), signal.SIGKILL)
                before = len(service.captions)
                wait_until(lambda: len(service.captions) > before + 3, "captions after the puller was killed")
                camera.silent.set()
                wait_until(lambda: "camera unreachable" in service.statuses[-1][0].reason, "a status that says so")
                still_there = child_of(run.pid, "look")
            finally:
                run.terminate()
            _, said = run.communicate(timeout=60)

    assert run.returncode == 0, said
    assert looker == still_there, "the process with the model was never started anew"
    assert not frames_folder.usual(tmp_path / "outbox.sqlite").exists(), "no picture stays in memory"


def child_of(parent: int, verb: str) -> int:
    """Return the number of the child process of a supervisor that runs a verb."""
    for pid in Path(f"/proc/{parent}/task/{parent}/children").read_text(encoding="ascii").split():
        if verb in Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8").split("\0"):
            return int(pid)
    raise AssertionError(f"{parent} has no child {verb}")


def test_look_on_a_full_disk_says_so_once_and_keeps_what_was_accepted(
    tiny: Path, tmp_path: Path, write_config: Write, frames: Path
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    outbox = {"path": str(disk / "outbox.sqlite")}
    path = write_config(
        bundle=str(tiny),
        outbox=outbox,
        camera={"kind": "replay", "path": "frames", "pace": "fast", "loop": True},
    )
    mount = f"mount -t tmpfs -o size=1m none {disk}"
    shell = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c"]
    if subprocess.run([*shell, mount], check=False, capture_output=True).returncode:
        pytest.skip("this kernel lets no ordinary user mount a small disk")
    look = f"{sys.executable} -m edge.cli look --config {path}"
    count = f"{sys.executable} -m edge.cli check --config {path}"
    script = (
        f"{mount} && head -c 400k /dev/zero > {disk}/ballast; {look}; echo $?; rm {disk}/ballast; {count} 2>/dev/null"
    )

    done = subprocess.run([*shell, script], check=False, capture_output=True, text=True, cwd=ROOT)

    code, *rest = done.stdout.splitlines()
    assert last_line(done) == (
        f"wordcam-edge look: {disk}/outbox.sqlite: the disk is full; "
        "captions already accepted are kept, free some space"
    )
    assert int(code) == TRY_AGAIN
    (outbox_line,) = (line for line in rest if line.startswith("outbox:"))
    assert int(outbox_line.split()[-3]) > 10


def loaded(verb: str, path: Path, seconds: float) -> set[str]:
    """Run a verb for a while and return the modules that its process imported."""
    program = [sys.executable, "-X", "importtime", "-m", "edge.cli", verb, "--config", str(path)]
    with subprocess.Popen(program, stderr=subprocess.PIPE, text=True, cwd=ROOT) as process:
        time.sleep(seconds)
        process.terminate()
        _, said = process.communicate(timeout=60)
    return {line.rpartition("|")[2].strip() for line in said.splitlines() if line.startswith("import time:")}


def test_the_process_that_sees_loads_no_network_and_the_one_that_sends_no_camera(
    tiny: Path, write_config: Write, frames: Path, mosquitto: Mosquitto
) -> None:
    path = write_config(bundle=str(tiny), mqtt={"host": mosquitto.host, "port": mosquitto.port})

    looked, sent = loaded("look", path, 3), loaded("send", path, 3)

    assert {"cv2", "numpy", "edge.look.capture_loop"} <= looked
    assert looked & {"ssl", "_ssl", "paho.mqtt.client", "edge.send.mqtt", "http.client", "urllib.request"} == set()
    assert {"paho.mqtt.client", "edge.send.publisher"} <= sent
    assert (
        sent & {"cv2", "numpy", "ai_edge_litert", "edge.infer", "edge.look.camera", "edge.look.capture_loop"} == set()
    )


def test_a_server_whose_password_file_is_empty_for_a_while_stops_nothing(
    tiny: Path, tmp_path: Path, write_config: Write, frames: Path
) -> None:
    before = Mosquitto(tmp_path / "before", users={"dev-1": "another"})
    (tmp_path / "password").write_text("right", encoding="utf-8")
    mqtt = {"host": before.host, "port": before.port, "username": "dev-1", "password_file": "password"}
    path = write_config(
        bundle=str(tiny),
        camera={"kind": "replay", "path": "frames", "pace": "real", "loop": True},
        mqtt=mqtt | {"first_retry_seconds": 0.1, "max_retry_seconds": 0.3},
    )
    program = [sys.executable, "-m", "edge.cli", "run", "--config", str(path)]
    with subprocess.Popen(program, stderr=subprocess.PIPE, text=True, cwd=ROOT) as run:
        with before:
            wait_until((tmp_path / "outbox.sqlite").exists, "the outbox")
            with Outbox(tmp_path / "outbox.sqlite", 10) as box:
                wait_until(lambda: "refused the login" in process_report.read(box, "send").reason, "a refusal")
                looked = box.ledger().captions
                wait_until(lambda: box.ledger().captions > looked, "that looking goes on")
        after = Mosquitto(tmp_path / "after", users={"dev-1": "right"}, port=before.port)
        with after, served(after) as service:
            wait_until(lambda: service.captions, "captions")
            run.terminate()
            _, said = run.communicate(timeout=60)

    assert run.returncode == 0, said
    assert "the server refused the login: Not authorized" in said
