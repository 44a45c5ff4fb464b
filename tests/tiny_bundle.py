"""A model bundle of a few KiB, made in seconds, that keeps the contract and speaks a little.

It knows one sentence pattern ("a man walking on the street") and lets the colour of the picture choose the words: a
red picture is a fire, a green one a dog, a blue one a man, a dark one a gun. Deterministic; no training.
Run as a program (`python -m tests.tiny_bundle FOLDER`) it needs TensorFlow; `build` runs it in a process of its own,
so that the tests' process stays small.
"""

import subprocess
import sys
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from contract import bundle
from contract import vocabulary as vocab

SIDE = 96
"""Height and width of the encoder's picture."""

PATTERN = (
    ("a",),
    ("man", "woman", "dog", "fire", "gun", "knife"),
    ("walking", "standing", "burning", "lying"),
    ("on", "in", "near"),
    ("the",),
    ("street", "room", "grass", "table"),
)
"""Words by place in the sentence; each may be followed by any of the next place."""

COLOURS = {
    "fire": (6, -3, -3, 0),
    "burning": (6, -3, -3, 0),
    "dog": (-3, 6, -3, 0),
    "grass": (-3, 6, -3, 0),
    "lying": (-1, 3, -1, 0),
    "man": (-3, -3, 6, 0),
    "walking": (-3, -3, 6, 0),
    "street": (-3, -3, 6, 0),
    "gun": (0, 0, 0, 6),
    "table": (0, 0, 0, 3),
}
"""What red, green, blue and darkness (each 0 to 1, mean over the picture) add to a word's logit."""

HAZARDS = {"fire": ("fire", "burning"), "gun": ("gun",), "knife": ("knife",)}
BEAM, DEPTH, STATE = 3, 8, 4

EVIDENCE = ((100, 0, 0), (-100, 0, 0), (-100, 0, 0), (0, 100, 0))
"""What red, green, blue and darkness add to the evidence of each of `HAZARDS`; the manifest does not ask for it."""
EVIDENCE_FROM = 4.0
"""Taken off the log-odds of each: without any red or dark spot there is no evidence."""


def vocabulary() -> vocab.Vocabulary:
    """Return the words of the pattern."""
    return vocab.of(word for place in PATTERN for word in place)


def build(folder: Path) -> Path:
    """Make the bundle in `folder` and return its path; raises `CalledProcessError` with TensorFlow's complaint."""
    root = Path(__file__).resolve().parent.parent
    program = [sys.executable, "-m", "tests.tiny_bundle", str(folder.resolve())]
    done = subprocess.run(program, check=False, capture_output=True, text=True, cwd=root)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(program)} failed:\n{done.stderr[-4000:]}")
    return folder


def make(folder: Path) -> None:
    """Write the bundle's files; needs TensorFlow in this process."""
    folder.mkdir(parents=True, exist_ok=True)
    files: dict[bundle.Role, bundle.File] = {}
    for role, (function, shapes, full_int8) in _models().items():
        path = folder / f"{role}.tflite"
        path.write_bytes(_convert(function, shapes, full_int8=full_int8))
        files[role] = bundle.describe(path, "int8" if full_int8 else "dynamic-range int8")
    (folder / "vocabulary.txt").write_text(vocab.dump(vocabulary()), encoding="utf-8")
    (folder / "card.md").write_text("# tiny\n\nColours to words, for tests only.\n", encoding="utf-8")
    files["vocabulary"] = bundle.describe(folder / "vocabulary.txt")
    files["card"] = bundle.describe(folder / "card.md")
    bundle.write(folder, manifest(files))


def manifest(files: dict[bundle.Role, bundle.File]) -> bundle.Manifest:
    """Describe the bundle."""
    return bundle.Manifest(
        format=bundle.FORMAT,
        name="tiny",
        version="0.1.0",
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        language="en",
        input=bundle.Input(SIDE, SIDE),
        files=files,
        decoding=bundle.Decoding(beam_width=BEAM, max_tokens=12),
        detection=bundle.Detection(classes=("person",), score_threshold=0.5),
        hazards=HAZARDS,
        licences=(bundle.Licence("no data", "none"),),
        metrics={"int8": {"bleu_4": 0.0}},
    )


def _models() -> dict[bundle.Role, tuple[Any, dict[str, Any], bool]]:
    """Return each model as (function, input specs, whether it is quantized to int8 throughout)."""
    import tensorflow as tf  # noqa: PLC0415  # only the process that converts pays for it

    points = (SIDE // 8) ** 2
    cells = (SIDE // 32) ** 2

    def spec(name: str, *shape: int, kind: Any = tf.float32) -> Any:
        return tf.TensorSpec(shape, kind, name=name)

    seen = {
        "c3": spec("c3", 1, SIDE // 8, SIDE // 8, DEPTH),
        "c4": spec("c4", 1, SIDE // 16, SIDE // 16, DEPTH),
        "cells": spec("cells", 1, cells, DEPTH),
    }
    step = {
        "tokens": spec("tokens", BEAM, kind=tf.int32),
        "state": spec("state", BEAM, STATE),
        "keys": spec("keys", 1, cells, STATE),
        "values": spec("values", 1, cells, STATE),
    }
    return {
        "encoder": (_encoder(tf), {"image": spec("image", 1, SIDE, SIDE, 3)}, True),
        "detector": (_detector(tf, points), seen, False),
        "decoder_init": (_decoder_init(tf), {"cells": seen["cells"]}, False),
        "decoder_step": (_decoder_step(tf), step, False),
    }


def _encoder(tf: Any) -> Any:
    """Mean colour of 8 x 8 patches in three channels, darkness in a fourth, noise filters in the others."""
    kernel = np.random.default_rng(1).normal(0, 0.02, (8, 8, 3, DEPTH)).astype(np.float32)
    bias = np.zeros(DEPTH, np.float32)
    kernel[..., :4] = 0
    for channel in range(3):
        kernel[:, :, channel, channel] = 1 / 64
    kernel[..., 3], bias[3] = -3 / 64, 1

    def encode(image: Any) -> dict[str, Any]:
        c3 = tf.nn.relu(tf.nn.conv2d(image / 255.0, kernel, 8, "VALID") + bias)
        c4 = tf.nn.avg_pool2d(c3, 2, 2, "VALID")
        cells = tf.reshape(tf.nn.avg_pool2d(c4, 2, 2, "VALID"), [1, -1, DEPTH])
        return {"c3": c3, "c4": c4, "cells": cells}

    return encode


def _detector(tf: Any, points: int) -> Any:
    """A "person" wherever a patch is much more blue than red or green; boxes of a quarter of the frame."""
    side = int(points**0.5)
    rows, columns = np.meshgrid((np.arange(side) + 0.5) / side, (np.arange(side) + 0.5) / side, indexing="ij")
    grid = np.stack([columns, rows, np.full_like(rows, 0.25), np.full_like(rows, 0.25)], -1).reshape(1, points, 4)
    weights = np.array([-20, -20, 20, 0] + [0] * (DEPTH - 4), np.float32).reshape(DEPTH, 1)

    def detect(c3: Any, c4: Any, cells: Any) -> dict[str, Any]:
        patches = tf.reshape(c3, [1, points, DEPTH])
        unused = 0.0 * (tf.reduce_sum(c4) + tf.reduce_sum(cells))
        scores = tf.sigmoid(tf.matmul(patches, weights[np.newaxis]) - 8.0) + unused
        return {"scores": scores, "boxes": tf.constant(grid, tf.float32) + 0.0 * scores}

    return detect


def _decoder_init(tf: Any) -> Any:
    """Colours of the cells; evidence that grows with the mean redness and the mean darkness of the picture."""
    keep = np.eye(DEPTH, STATE, dtype=np.float32)[np.newaxis]

    def start(cells: Any) -> dict[str, Any]:
        colours = tf.matmul(cells, keep)
        mean = tf.reduce_mean(colours, 1)
        evidence = tf.sigmoid(tf.matmul(mean, np.array(EVIDENCE, np.float32)) - EVIDENCE_FROM)
        return {"keys": colours * 2.0, "values": colours * 1.0, "state": mean, "evidence": evidence}

    return start


def _decoder_step(tf: Any) -> Any:
    """The pattern allows the next word, the colours in the state and in the attended cell choose it."""
    follows, colours = _grammar()

    def step(tokens: Any, state: Any, keys: Any, values: Any) -> dict[str, Any]:
        attention = tf.nn.softmax(tf.matmul(state, keys[0], transpose_b=True))
        context = tf.matmul(attention, values[0])
        logits = tf.gather(tf.constant(follows), tokens) + tf.matmul(0.9 * state + 0.1 * context, colours)
        return {"log_probs": tf.nn.log_softmax(logits), "next_state": state * 1.0, "attention": attention}

    return step


def _grammar() -> tuple[Any, Any]:
    """Return which word follows which [W, W], and the colours' weight on each word [STATE, W]."""
    known = vocabulary()
    follows = np.full((len(known), len(known)), -12, np.float32)
    places = ((vocab.SPECIALS[vocab.START],), *PATTERN, (vocab.SPECIALS[vocab.END],))
    for now, following in pairwise(places):
        for number, word in enumerate(following):
            follows[[known.ids[before] for before in now], known.ids[word]] = -0.1 * number
    colours = np.zeros((STATE, len(known)), np.float32)
    for word, weights in COLOURS.items():
        colours[:, known.ids[word]] = weights
    return follows, colours


def _convert(function: Any, inputs: dict[str, Any], *, full_int8: bool) -> bytes:
    import tempfile  # noqa: PLC0415

    import tensorflow as tf  # noqa: PLC0415  # only the process that converts pays for it

    module = tf.Module()
    module.serve = tf.function(function)
    with tempfile.TemporaryDirectory() as saved:
        tf.saved_model.save(module, saved, {"serving_default": module.serve.get_concrete_function(*inputs.values())})
        converter = tf.lite.TFLiteConverter.from_saved_model(saved)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if full_int8:
            converter.representative_dataset = _pictures
            converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
            converter.inference_input_type = tf.uint8
            converter.inference_output_type = tf.float32
        return bytes(converter.convert())


def _pictures() -> Any:
    """Plain and noisy pictures of every colour."""
    draw = np.random.default_rng(2)
    for _ in range(24):
        colour = draw.uniform(0, 255, (1, 1, 1, 3))
        yield [np.clip(colour + draw.normal(0, 40, (1, SIDE, SIDE, 3)), 0, 255).astype(np.float32)]


if __name__ == "__main__":
    make(Path(sys.argv[1]))
