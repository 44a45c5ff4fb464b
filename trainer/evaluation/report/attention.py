"""Attention of the captioner for each word.

Dimensions: N cells, D numbers a cell, T words.
"""

import io
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import tensorflow as tf
from PIL import Image

from contract.vocabulary import START, UNKNOWN, Vocabulary
from trainer.models.decoder import Decoder

Floats = npt.NDArray[np.float32]

SIDE: Final = 48
"""Pixels of a heat map's longer side; browsers smooth it over the image."""

CROOKED: Final = 1.6
"""Largest ratio between a grid's proportions and the input's; beyond it the cells do not form a grid."""


def follow(model: Decoder, cells: Floats, words: Sequence[str], vocabulary: Vocabulary) -> Floats:
    """Return the attention [T, N] at each word of a caption of cells [N, D]; each row sums to 1."""
    tokens = [START, *(vocabulary.ids.get(word, UNKNOWN) for word in words[:-1])]
    keys, values, state = model.look(tf.cast(cells[None], model.compute_dtype))
    state, seen = state[:, None], []
    for token in tokens[: len(words)]:
        embedded = model.embedding(tf.constant([[token]]))
        _, state, attention = model.step(model.token_gates(embedded), state, keys, values)
        seen.append(attention.numpy()[0, 0])
    return np.array(seen, np.float32).reshape(len(seen), len(cells))


def grid(cells: int, height: int, width: int) -> tuple[int, int] | None:
    """Return the rows and columns that so many cells of an input form; None where no grid has its proportions."""
    shapes = [(rows, cells // rows) for rows in range(1, cells + 1) if cells % rows == 0]

    def crooked(shape: tuple[int, int]) -> float:
        ratio = shape[1] * height / (shape[0] * width)
        return max(ratio, 1 / ratio)

    best = min(shapes, key=crooked)
    return best if crooked(best) <= CROOKED else None


def heat(attention: Floats, shape: tuple[int, int]) -> bytes:
    """Return a PNG overlay: opaque where the attention is least, clear where it is most."""
    rows, columns = shape
    seen = attention.reshape(rows, columns)
    span = float(seen.max() - seen.min())
    clear = (seen - seen.min()) / span if span > 0 else np.ones_like(seen)
    scale = SIDE / max(rows, columns)
    size = (max(1, round(columns * scale)), max(1, round(rows * scale)))
    veil = Image.fromarray(np.uint8(np.round(215 * (1 - clear)))).resize(size, Image.Resampling.BICUBIC)
    dark = Image.new("L", size, 0)
    out = io.BytesIO()
    Image.merge("LA", (dark, veil)).save(out, "PNG", optimize=True)
    return out.getvalue()
