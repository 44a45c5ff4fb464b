"""Video decoded by FFmpeg: real films."""

from pathlib import Path

import numpy as np
import pytest

from edge import config
from edge.infer import image
from edge.look.camera import replay, video
from edge.look.camera.video import Ended, Packet, Video
from tests.edge import pictures
from tests.edge.look.camera import films


def packets(opened: Video) -> list[Packet]:
    found = []
    try:
        while True:
            found.append(opened.packet())
    except Ended:
        return found


def array(frame: video.Decoded, max_side: int = image.MAX_SIDE) -> image.Picture:
    return np.asarray(video.pixels(frame, max_side), np.uint8)


def test_a_key_frame_decoded_alone_is_the_same_picture(tmp_path: Path) -> None:
    path = films.write(tmp_path / "film.mp4", 30)
    with Video(str(path)) as opened:
        every = [array(frame) for frame in opened.frames()]
    with Video(str(path)) as opened:
        keys = [packet for packet in packets(opened) if packet.is_key]
        alone = [array(frame) for frame in map(opened.decode_key, keys) if frame is not None]

    assert len(every) == 30
    assert [packet.seconds for packet in keys] == pytest.approx([0, 0.4, 0.8])
    assert all(np.array_equal(one, every[10 * number]) for number, one in enumerate(alone))
    assert len(alone) == 3


@pytest.mark.parametrize("width", [3840, 1922, 318], ids=["4K", "rows of odd length", "small"])
def test_a_picture_is_shrunk_to_the_size_that_it_would_be_shrunk_to(width: int, tmp_path: Path) -> None:
    path = films.write(tmp_path / "film.mp4", 1, width=width, height=width * 9 // 32 * 2)
    with Video(str(path)) as opened:
        (frame,) = opened.frames()

    whole, small = array(frame), array(frame, 640)

    assert whole.shape == (frame.height, frame.width, 3)
    assert small.shape == image.shrunk(whole, 640).shape
    assert np.abs(small.astype(int) - image.shrunk(whole, 640)).mean() < 2


def test_a_film_is_turned_as_a_player_turns_it(tmp_path: Path) -> None:
    straight = replay.VideoFile(films.write(tmp_path / "straight.mp4", 2))
    turned = replay.VideoFile(films.write(tmp_path / "turned.mp4", 2, turned=90))

    before, after = next(iter(straight.play())).picture(), next(iter(turned.play())).picture()

    assert before is not None
    assert after is not None
    assert np.array_equal(after, np.rot90(before))


def test_a_film_of_4k_is_never_whole_in_memory(tmp_path: Path) -> None:
    path = films.write(tmp_path / "film.mp4", 2, width=3840, height=2160)

    camera = replay.open_camera(config.Replay(path=path, max_side=640), lambda _: None)
    frame = camera.read()

    assert frame is not None
    assert frame.bgr.shape == (360, 640, 3)


def test_damaged_data_of_a_film_is_told(tmp_path: Path) -> None:
    path = films.write(tmp_path / "film.mp4", 20)
    with Video(str(path)) as opened:
        sizes = [(packet.data.pos, packet.data.size) for packet in packets(opened)]
    damaged = bytearray(path.read_bytes())
    at, size = sizes[10]
    assert at is not None
    damaged[at + size // 2 : at + size - 4] = bytes(255 - byte for byte in damaged[at + size // 2 : at + size - 4])
    path.write_bytes(damaged)

    told = [shot.is_damaged for shot in replay.VideoFile(path).play()]

    assert not any(told[:10])
    assert any(told[10:]) or len(told) < 20


def test_a_text_is_no_video(tmp_path: Path) -> None:
    (tmp_path / "film.mp4").write_text("not a film" * 1000)

    with pytest.raises(video.NotOpened):
        Video(str(tmp_path / "film.mp4"))


def test_hardware_that_is_not_there_is_named() -> None:
    with pytest.raises(video.NoHardware, match="v4l2m2m"):
        Video(str(pictures.bikes()), hardware="v4l2m2m")
    with pytest.raises(video.NoHardware, match="vaapi"):
        Video(str(pictures.bikes()), hardware="vaapi")


def test_what_is_tried_is_what_is_wanted() -> None:
    assert video.hardware_to_try("off") == []
    assert video.hardware_to_try("cuda") == ["cuda"]
    assert set(video.hardware_to_try("auto")) <= set(video.DEVICES)
