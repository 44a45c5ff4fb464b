"""What the device's encoder sees of each view of each picture, kept on disk in shards; a killed run goes on.

Views are cut, squashed and encoded by the code and the int8 model that the device runs, so that the classifier learns
from the very numbers that it will be given.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

import cv2
import msgspec
import numpy as np
import numpy.typing as npt

from edge import config
from edge.infer import image
from edge.infer.captioner import Captioner, Features
from edge.look import crops as device_crops
from trainer.errors import CheckpointError, DataError
from trainer.hazards import bad_pictures, lights, views
from trainer.hazards.arrays import Floats
from trainer.hazards.pictures import Picture
from trainer.hazards.views import WHOLE, View

log = logging.getLogger(__name__)

Pixels = npt.NDArray[np.uint8]

SHARD: Final = 2000
"""Pictures of one shard: a minute's work or so."""

THUMBNAIL: Final = 16
"""Side of the grey picture that tells places apart."""

CLIP_STEP: Final = 3
"""Every such frame of a clip is shown: four a second of most."""

SLACK_SECONDS: Final = 0.001
"""By so much a look may come early: times of a film are rounded."""

POOLED: Final = 2
"""Kinds of pooling: mean, then maximum, over the cells."""


class Example(msgspec.Struct, frozen=True, kw_only=True):
    """One view, without its features."""

    key: str
    """Of its picture."""
    split: str
    source: str
    label: str
    kind: str
    inside: dict[str, float] = {}
    bad: tuple[str, ...] = ()
    """What was done to it."""
    level: float = 0.0
    """How bad, 0 to 1."""
    drawn: tuple[str, ...] = ()
    """Classes that are drawn on its picture."""
    captions: str = ""
    clip: str = ""
    thumbnail: tuple[int, ...] = ()


class Encoded(msgspec.Struct, frozen=True):
    """All views of a set."""

    examples: list[Example]
    pooled: Floats
    """float16 [M, 2 D]: the mean of each number over the cells, then its maximum."""
    keys: tuple[str, ...] = ()
    """Of all pictures that were looked at, those without a view as well."""


Shown = tuple[Pixels, Example]
"""A view's pixels, BGR, and what it is."""

Showing = Callable[[Captioner, Picture], Iterator[Shown]]


def encode(folder: Path, name: str, pictures: Sequence[Picture], captioner: Captioner, show: Showing) -> Encoded:
    """Return the views of every picture with their features, from disk as far as they are there.

    Raises `DataError` for a picture that cannot be read, `CheckpointError` for a shard that is of something else.
    """
    folder.mkdir(parents=True, exist_ok=True)
    model = captioner.manifest.files["encoder"].sha256[:12]
    shards = [_read(path, model) for path in sorted(folder.glob(f"{name}-*.npz"))]
    done = {key for shard in shards for key in shard.keys}
    left = [picture for picture in pictures if picture.key not in done]
    for begun in range(0, len(left), SHARD):
        shards.append(_encode(left[begun : begun + SHARD], captioner, show))
        _write(folder / f"{name}-{len(shards) - 1:04}.npz", shards[-1], model)
        log.warning("%s: %d of %d pictures are encoded", name, len(done) + begun + len(shards[-1].keys), len(pictures))
    return join(shards, POOLED * depth(captioner))


def join(shards: Sequence[Encoded], size: int) -> Encoded:
    """Return all views of some shards, of features of a size."""
    examples = [example for shard in shards for example in shard.examples]
    return Encoded(examples, np.concatenate([np.zeros((0, size), np.float16), *(shard.pooled for shard in shards)]))


def _encode(pictures: Sequence[Picture], captioner: Captioner, show: Showing) -> Encoded:
    examples: list[Example] = []
    rows: list[Floats] = []
    for picture in pictures:
        for pixels, example in _shown(captioner, picture, show):
            rows.append(pooled(captioner, pixels))
            examples.append(example)
    values = np.stack(rows) if rows else np.zeros((0, POOLED * depth(captioner)), np.float16)
    return Encoded(examples, values, tuple(picture.key for picture in pictures))


def depth(captioner: Captioner) -> int:
    """Return how many numbers a cell has."""
    size = captioner.manifest.input
    return int(captioner.encode(np.zeros((size.height, size.width, 3), np.uint8)).cells.shape[-1])


def pooled(captioner: Captioner, bgr: Pixels) -> Floats:
    """Return the mean and the maximum over the cells of a picture of any size: float16 [2 D]."""
    return _pool(captioner.encode(small(captioner, bgr)))


def small(captioner: Captioner, bgr: Pixels) -> Pixels:
    """Squash a picture to what the encoder takes, in RGB."""
    size = captioner.manifest.input
    return image.rgb(image.fit(bgr, size.height, size.width))


def frames(captioner: Captioner, picture: Picture) -> Iterator[Shown]:
    """Show the whole frame, then the crops that the device would take of it."""
    bgr = image.read_bgr(picture.path)
    grey = image.thumbnail(bgr, THUMBNAIL, THUMBNAIL).ravel().tolist()
    yield bgr, _example(picture, View("frame"), thumbnail=tuple(grey))
    found = captioner.detect(captioner.encode(small(captioner, bgr)))
    for region in device_crops.regions(found, config.Crops(), *bgr.shape[:2]):
        square = (region.left, region.top, region.side)
        yield (
            image.cut(bgr, *square),
            _example(picture, View("device", square, inside=views.inside(square, picture.boxes))),
        )


def crops(_captioner: Captioner, picture: Picture) -> Iterator[Shown]:
    """Show the crops that teach the thing without its room."""
    bgr = image.read_bgr(picture.path)
    for view in views.crops(picture):
        part = image.cut(bgr, *view.square)
        yield np.ascontiguousarray(part[:, ::-1]) if view.mirrored else part, _example(picture, view)


def worse(number: int) -> Showing:
    """Show the frame as a bad camera would; another number gives another draw."""

    def show(_captioner: Captioner, picture: Picture) -> Iterator[Shown]:
        draw = views.randomness(picture, f"bad {number}")
        bgr, bad, level = bad_pictures.drawn(image.read_bgr(picture.path), draw)
        yield bgr, _example(picture, View("bad"), bad=bad, level=round(float(level), 3))

    return show


def lit(_captioner: Captioner, picture: Picture) -> Iterator[Shown]:
    """Show the frame with a lamp or the sun in the lens, in infrared or in fog."""
    bgr, bad, level = lights.drawn(image.read_bgr(picture.path), views.randomness(picture, "lights"))
    yield bgr, _example(picture, View("lit"), bad=bad, level=round(float(level), 3))


def mirrored(_captioner: Captioner, picture: Picture) -> Iterator[Shown]:
    """Show the frame's mirror image."""
    yield np.ascontiguousarray(image.read_bgr(picture.path)[:, ::-1]), _example(picture, View("mirrored"))


def clips(_captioner: Captioner, picture: Picture) -> Iterator[Shown]:
    """Show some frames of a clip."""
    video = cv2.VideoCapture(str(picture.path))
    number = 0
    while True:
        found, bgr = video.read()
        if not found:
            return
        if number % CLIP_STEP == 0:
            yield np.asarray(bgr, np.uint8), _example(picture, View("clip"))
        number += 1


def played(path: Path, looks_per_second: float) -> Iterator[tuple[float, Pixels]]:
    """Yield the frames of a film that a device would look at, BGR, with their seconds."""
    video, due = cv2.VideoCapture(str(path)), 0.0
    while True:
        found, bgr = video.read()
        if not found:
            return
        at = video.get(cv2.CAP_PROP_POS_MSEC) / 1000
        if at >= due - SLACK_SECONDS:
            yield at, np.asarray(bgr, np.uint8)
            due += 1 / looks_per_second


def _shown(captioner: Captioner, picture: Picture, show: Showing) -> Iterator[Shown]:
    try:
        yield from show(captioner, picture)
    except image.Unreadable as error:
        raise DataError(str(error)) from error


def _example(
    picture: Picture, view: View, *, bad: tuple[str, ...] = (), level: float = 0.0, thumbnail: tuple[int, ...] = ()
) -> Example:
    part = view.square != WHOLE
    return Example(
        key=picture.key,
        split=picture.split,
        source=picture.source,
        label=picture.label,
        kind=view.kind,
        inside={name: round(share, 3) for name, share in view.inside.items()} if part else {},
        bad=bad,
        level=level,
        drawn=tuple(sorted({name for name, _ in picture.boxes})),
        captions=picture.captions,
        clip=picture.clip,
        thumbnail=thumbnail,
    )


def _pool(features: Features) -> Floats:
    cells = features.cells[0]
    return np.concatenate([cells.mean(0), cells.max(0)]).astype(np.float16)


def _write(path: Path, shard: Encoded, model: str) -> None:
    scratch = path.with_suffix(".new")
    listing = np.frombuffer(msgspec.json.encode(shard.examples), np.uint8)
    with scratch.open("wb") as file:
        np.savez(file, pooled=shard.pooled, examples=listing, keys=np.array(shard.keys), model=np.array(model))
    scratch.replace(path)


def _read(path: Path, model: str) -> Encoded:
    with np.load(path) as kept:
        if str(kept["model"]) != model:
            raise CheckpointError(f"{path}: features of another encoder; remove {path.parent} to encode them again")
        examples = msgspec.json.decode(kept["examples"].tobytes(), type=list[Example])
        return Encoded(examples, kept["pooled"], tuple(kept["keys"].tolist()))
