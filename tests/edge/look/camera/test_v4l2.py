"""USB cameras: what can be tested without one, and with one where there is one."""

import importlib.util
from pathlib import Path

import pytest

from edge import config
from edge.errors import CameraGone, Misconfigured
from edge.look.camera import picamera, v4l2
from edge.look.camera.arrays import Arrays
from edge.look.camera.pace import Pace


def test_a_missing_camera_is_named(tmp_path: Path) -> None:
    with pytest.raises(CameraGone, match="video7: no such camera; plug it in, or see `ls /dev/video"):
        v4l2.open_camera(config.V4l2(device=tmp_path / "video7"), Pace(0.1))


def test_a_file_that_is_no_camera_is_named(tmp_path: Path) -> None:
    (tmp_path / "video0").write_bytes(b"no device")

    with pytest.raises(CameraGone, match="video0: the camera cannot be opened; another program may hold it"):
        v4l2.open_camera(config.V4l2(device=tmp_path / "video0"), Pace(0.1))


def test_without_picamera2_the_package_to_install_is_named() -> None:
    if importlib.util.find_spec("picamera2"):
        pytest.skip("picamera2 is installed here")

    with pytest.raises(Misconfigured, match="apt install python3-picamera2"):
        picamera.open_camera(config.PiCamera(), Pace(0.1))


@pytest.mark.hardware
def test_a_real_camera_gives_frames() -> None:
    camera = Arrays(v4l2.open_camera(config.V4l2(), Pace(0.2)))

    frames = [camera.read() for _ in range(3)]
    camera.close()

    assert all(frame.bgr.std() > 0 for frame in frames)


@pytest.mark.hardware
def test_a_real_ribbon_camera_gives_frames() -> None:
    pytest.importorskip("picamera2")
    camera = picamera.open_camera(config.PiCamera(), Pace(0.2))

    frames = [camera.read() for _ in range(3)]
    camera.close()

    assert all(frame.bgr.std() > 0 for frame in frames)
