"""A trainer's export of a few KiB with random weights: a small encoder of 64 x 64 pictures, a GRU, a box a cell.

Deterministic. Run as a program (`python -m tests.converter.tiny_export FOLDER`) it needs TensorFlow; the tests run it
in a process of its own, as a trainer would be.
"""

import json
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np

SIDE, DEPTH, STATE, WORDS = 64, 16, 24, 24
CELLS = (SIDE // 16) ** 2
VOCABULARY = (
    "<pad> <start> <end> <unk> a man woman dog gun fire on in the street grass red blue with holds runs and two of hat"
)
PHRASES = {"a": 0.1, "man": 1.2, "dog": 1.5, "a man": 1.4, "a dog": 1.6, "a man runs": 3.0}
"""Phrases with their rarities."""
DESCRIPTION: dict[str, Any] = {
    "name": "tiny",
    "version": "0.1.0",
    "language": "en",
    "input": {"height": SIDE, "width": SIDE},
    "decoding": {
        "beam_width": 3,
        "max_tokens": 8,
        "length_penalty": 0.7,
        "block_trigrams": True,
        "consensus": 4.0,
        "pull": 1.0,
        "agreement_weight": 0.4,
        "confidence_weight": 0.1,
    },
    "detection": {"classes": ["person"], "score_threshold": 0.3, "iou_threshold": 0.6},
    "hazards": {"gun": ["gun"], "fire": ["fire"]},
    "licences": [{"what": "random weights", "terms": "none"}],
    "commands": ["python -m tests.converter.tiny_export"],
    "representative": {"images": [f"pictures/{number}.png" for number in range(12)]},
    "known_failures": ["It knows nothing."],
    "data": ["None: the weights are random."],
}


def make(folder: Path, seed: int = 0) -> None:
    """Write the whole export; needs TensorFlow. Another seed gives other weights."""
    import tensorflow as tf  # noqa: PLC0415  # only the process that exports pays for it

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "export.json").write_text(json.dumps(DESCRIPTION), encoding="utf-8")
    (folder / "vocabulary.txt").write_text("\n".join(VOCABULARY.split()) + "\n", encoding="utf-8")
    (folder / "phrases.txt").write_text("".join(f"{r}\t{words}\n" for words, r in PHRASES.items()), encoding="utf-8")
    draw_pictures(folder / "pictures", 12)
    specs = _specs(tf)
    for name, function in _models(tf, seed).items():
        module = tf.Module()
        module.weights = function.weights
        served = tf.function(function).get_concrete_function(*specs[name])
        tf.saved_model.save(module, str(folder / name), signatures={"serving_default": served})


def draw_pictures(folder: Path, count: int) -> None:
    """Draw coloured noise of different sizes."""
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(5)
    for number in range(count):
        height, width = (int(side) for side in random.integers(64, 128, 2))
        picture = random.uniform(0, 255, 3) + random.normal(0, 60, (height, width, 3))
        cv2.imwrite(str(folder / f"{number}.png"), np.clip(picture, 0, 255).astype(np.uint8))


def _specs(tf: Any) -> dict[str, list[Any]]:
    def spec(name: str, *shape: int | None, kind: Any = tf.float32) -> Any:
        return tf.TensorSpec(shape, kind, name=name)

    cells = spec("cells", None, CELLS, DEPTH)
    step = [spec("tokens", None, kind=tf.int32), spec("state", None, STATE)]
    step += [spec("keys", 1, CELLS, STATE), spec("values", 1, CELLS, STATE)]
    c3, c4 = spec("c3", None, SIDE // 8, SIDE // 8, DEPTH), spec("c4", None, SIDE // 16, SIDE // 16, DEPTH)
    return {
        "encoder": [spec("image", None, SIDE, SIDE, 3)],
        "detector": [c3, c4],
        "decoder_init": [cells],
        "decoder_step": step,
    }


def _models(tf: Any, seed: int) -> dict[str, Any]:
    kinds = {"encoder": Encoder, "detector": Detector, "decoder_init": Init, "decoder_step": Step}
    return {name: kind(tf, 10 * seed + number) for number, (name, kind) in enumerate(kinds.items(), 1)}


class _Weights:
    """Weights drawn from a normal distribution, kept as variables so that freezing has something to do."""

    def __init__(self, tf: Any, seed: int, **shapes: tuple[int, ...]) -> None:
        random = np.random.default_rng(seed)
        self.tf = tf
        self.weights = [
            tf.Variable(random.normal(0, (2 / np.prod(shape[:-1])) ** 0.5, shape).astype(np.float32), name=name)
            for name, shape in shapes.items()
        ]


class Encoder(_Weights):
    """image [B, H, W, 3], 0 to 255 -> c3, c4 and the cells, which are c4 row by row."""

    def __init__(self, tf: Any, seed: int) -> None:
        super().__init__(tf, seed, a=(3, 3, 3, 8), b=(3, 3, 8, DEPTH), c=(3, 3, DEPTH, DEPTH), d=(3, 3, DEPTH, DEPTH))

    def __call__(self, image: Any) -> dict[str, Any]:
        tf, seen = self.tf, (image - 127.0) / 128.0
        for weights in self.weights[:3]:
            seen = tf.nn.relu6(tf.nn.conv2d(seen, weights, 2, "SAME"))
        deep = tf.nn.relu6(tf.nn.conv2d(seen, self.weights[3], 2, "SAME"))
        return {"c3": seen, "c4": deep, "cells": tf.reshape(deep, [-1, CELLS, DEPTH])}


class Detector(_Weights):
    """c3, c4 -> one box a point of both levels."""

    def __init__(self, tf: Any, seed: int) -> None:
        super().__init__(tf, seed, a=(1, 1, DEPTH, 5), b=(1, 1, DEPTH, 5))

    def __call__(self, c3: Any, c4: Any) -> dict[str, Any]:
        tf = self.tf
        levels = zip((c3, c4), self.weights, strict=True)
        found = [tf.reshape(tf.nn.conv2d(seen, weights, 1, "SAME"), [1, -1, 5]) for seen, weights in levels]
        raw = tf.sigmoid(tf.concat(found, 1))
        return {"boxes": raw[..., :4], "scores": raw[..., 4:]}


class Init(_Weights):
    """cells -> keys, values, state, and what is expected of each phrase."""

    def __init__(self, tf: Any, seed: int) -> None:
        shapes = {"keys": (DEPTH, STATE), "values": (DEPTH, STATE), "state": (DEPTH, STATE)}
        super().__init__(tf, seed, **shapes, expected=(DEPTH, len(PHRASES)))

    def __call__(self, cells: Any) -> dict[str, Any]:
        keys, values, state, expected = self.weights
        tf = self.tf
        mean = tf.reduce_mean(cells, 1)
        first = tf.tanh(tf.matmul(mean, state))
        heads = {"keys": tf.matmul(cells, keys), "values": tf.matmul(cells, values), "state": first}
        return {**heads, "expected": tf.matmul(mean, expected)}


class Step(_Weights):
    """A gated step with soft attention."""

    def __init__(self, tf: Any, seed: int) -> None:
        super().__init__(
            tf, seed, embedding=(WORDS, STATE), gate=(3 * STATE, STATE), new=(3 * STATE, STATE), out=(STATE, WORDS)
        )

    def __call__(self, tokens: Any, state: Any, keys: Any, values: Any) -> dict[str, Any]:
        embedding, gate, new, out = self.weights
        tf = self.tf
        attention = tf.nn.softmax(tf.matmul(state, keys[0], transpose_b=True))
        seen = tf.concat([tf.gather(embedding, tokens), state, tf.matmul(attention, values[0])], 1)
        update = tf.sigmoid(tf.matmul(seen, gate))
        after = update * state + (1 - update) * tf.tanh(tf.matmul(seen, new))
        return {"log_probs": tf.nn.log_softmax(3 * tf.matmul(after, out)), "next_state": after, "attention": attention}


if __name__ == "__main__":
    make(Path(sys.argv[1]))
