"""The captioner that wordcam grew out of, re-created for its speed: InceptionV3, then an eager GRU with attention.

Show, Attend and Tell (Xu et al. 2015) as in TensorFlow's image captioning tutorial: 299 x 299 pixels, 64 cells of 2048,
Dense 256, Bahdanau attention, GRU 512, a vocabulary of 10,001, a random draw from the softmax at each step, everything
eager. The weights are random: they do not change the time. TensorFlow is imported on first use.
"""

import os
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from converter import terminal

SIDE: Final = 299
CELLS, DEPTH, EMBEDDING, STATE, WORDS = 64, 2048, 256, 512, 10_001
STEPS: Final = 30
"""Words it draws unless <end> falls earlier; with random weights it never does."""


class Seed:
    """Ready to caption one picture after another."""

    def __init__(self, threads: int = 1) -> None:
        """Build the networks; raises `ModuleNotFoundError` where TensorFlow is not installed."""
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        with terminal.silent_stderr():  # TensorFlow prints a banner
            import keras  # noqa: PLC0415  # heavy, and not installed on a device
            import tensorflow as tf  # noqa: PLC0415

        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(threads)
        self._tf = tf
        layers = keras.layers
        self._inception = keras.applications.InceptionV3(include_top=False, weights=None)
        self._project = layers.Dense(EMBEDDING, activation="relu")
        self._embedding = layers.Embedding(WORDS, EMBEDDING)
        self._gru = layers.GRU(STATE, return_sequences=True, return_state=True)
        self._hidden, self._logits = layers.Dense(STATE), layers.Dense(WORDS)
        self._cells, self._state, self._score = layers.Dense(STATE), layers.Dense(STATE), layers.Dense(1)

    def caption(self, rgb: NDArray[np.uint8], steps: int = STEPS) -> list[int]:
        """Draw `steps` words for a picture uint8 [H, W, 3] of any size."""
        tf = self._tf
        cells = self._look(rgb)
        state = tf.zeros([1, STATE])
        token = tf.constant([[1]])
        words = []
        for _ in range(steps):
            logits, state = self._step(token, cells, state)
            drawn = int(tf.random.categorical(logits, 1)[0][0].numpy())
            words.append(drawn)
            token = tf.constant([[drawn]])
        return words

    def _look(self, rgb: NDArray[np.uint8]) -> Any:
        """Return the cells [1, 64, 256] of a picture."""
        tf = self._tf
        image = tf.image.resize(tf.constant(rgb), (SIDE, SIDE))[tf.newaxis] / 127.5 - 1.0
        features = tf.reshape(self._inception(image), [1, CELLS, DEPTH])
        return self._project(features)

    def _step(self, token: Any, cells: Any, state: Any) -> tuple[Any, Any]:
        """One word: token [1, 1] and state [1, S] to log-odds [1, W] and the next state."""
        tf = self._tf
        scores = self._score(tf.nn.tanh(self._cells(cells) + self._state(state[:, tf.newaxis])))
        context = tf.reduce_sum(tf.nn.softmax(scores, axis=1) * cells, axis=1)
        seen = tf.concat([context[:, tf.newaxis], self._embedding(token)], -1)
        output, state = self._gru(seen)
        return self._logits(tf.reshape(self._hidden(output), [-1, STATE])), state
