"""A table of words that is looked up and multiplied with is stored once, and nothing else changes."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from edge.infer import runtime
from tests.conftest import REPOSITORY

WORDS, SIZE = 400, 48

MAKE = f"""
import sys
from pathlib import Path
import numpy as np
import tensorflow as tf
from converter.tflite import quantize, weight_sharing

tied = sys.argv[2] == "tied"
random = np.random.default_rng(1)
table = random.normal(size=({WORDS}, {SIZE})).astype(np.float32)
table *= np.exp(random.normal(size=({WORDS}, 1)) / 2)
other = table if tied else random.normal(size=table.shape).astype(np.float32)

class Words(tf.Module):
    def __init__(self):
        self.read, self.scored = tf.Variable(table), tf.Variable(other)

    @tf.function(input_signature=[tf.TensorSpec((4,), tf.int32, "tokens"), tf.TensorSpec((4, {SIZE}), name="state")])
    def serve(self, tokens, state):
        read = tf.gather(self.read, tokens)
        return {{"read": read, "odds": tf.matmul(tf.tanh(read + state), self.scored, transpose_b=True)}}

words, folder = Words(), Path(sys.argv[1])
tf.saved_model.save(words, str(folder / "saved"), signatures={{"serving_default": words.serve}})
frozen = quantize.freeze(folder / "saved", {{"tokens": (4,), "state": (4, {SIZE})}}, folder / "frozen")
plain = quantize.dynamic_range(frozen)
(folder / "plain.tflite").write_bytes(plain)
(folder / "shared.tflite").write_bytes(weight_sharing.share_tables(plain))
"""


def make(folder: Path, kind: str) -> tuple[Path, Path]:
    program = [sys.executable, "-c", MAKE, str(folder), kind]
    done = subprocess.run(program, cwd=REPOSITORY, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder / "plain.tflite", folder / "shared.tflite"


@pytest.fixture(scope="module")
def tied(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return make(tmp_path_factory.mktemp("tied"), "tied")


def test_one_of_two_equal_tables_is_left_out(tied: tuple[Path, Path]) -> None:
    plain, shared = tied

    saved = plain.stat().st_size - shared.stat().st_size

    assert saved == pytest.approx(WORDS * SIZE, abs=2_000)


def test_the_model_still_reads_the_same_and_scores_nearly_the_same(tied: tuple[Path, Path]) -> None:
    random = np.random.default_rng(2)
    inputs = {
        "tokens": random.integers(0, WORDS, 4).astype(np.int32),
        "state": random.normal(size=(4, SIZE)).astype(np.float32),
    }

    before, after = (runtime.load(path).run(**inputs) for path in tied)

    np.testing.assert_array_equal(before["read"], after["read"])
    ours, theirs = before["odds"].ravel(), after["odds"].ravel()
    assert float(ours @ theirs / np.linalg.norm(ours) / np.linalg.norm(theirs)) > 0.999


def test_tables_that_differ_stay_apart(tmp_path: Path) -> None:
    plain, shared = make(tmp_path, "apart")

    assert plain.read_bytes() == shared.read_bytes()
