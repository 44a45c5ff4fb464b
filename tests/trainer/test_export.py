"""What the trainer hands over, as the converter reads it, and that it speaks as the trainer does."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from contract import vocabulary
from converter.tflite import saved_model_export as converter
from tests.trainer.workstation import Workstation
from trainer.data import prepare
from trainer.evaluation import evaluate
from trainer.models import beam_search
from trainer.recipe import recipe
from trainer.recipe.run_dir import RunDir
from trainer.training.stages import captioner as captioning


@pytest.fixture(scope="module")
def exported(trained: Workstation) -> converter.Export:
    return converter.load(trained.folder / "exported")


@pytest.fixture(scope="module")
def model(exported: converter.Export) -> Any:
    """Return the exported parts, each as a function of named tensors."""
    return {
        role: tf.saved_model.load(str(path)).signatures["serving_default"] for role, path in exported.models.items()
    }


@pytest.fixture(scope="module")
def example(exported: converter.Export) -> Any:
    path = Path(exported.description.representative.images[0])
    pixels = tf.io.decode_image(path.read_bytes(), channels=3)
    return tf.cast(tf.image.resize(pixels, (96, 96), "area"), tf.float32)[None]


def test_the_converter_takes_it(exported: converter.Export) -> None:
    description = exported.description

    assert set(exported.models) == {"encoder", "decoder_init", "decoder_step", "detector"}
    assert (description.name, description.version, description.language) == ("smoke", "0.0.1", "en")
    assert (description.input.height, description.input.width) == (96, 96)
    assert description.decoding.beam_width == 3
    assert description.detection is not None
    assert description.detection.classes == ("circle", "square")
    assert len(exported.vocabulary) == 15


def test_it_says_what_it_was_made_from_and_how(exported: converter.Export, trained: Workstation) -> None:
    description = exported.description

    assert description.data == ("sample: 96 images, 192 sentences", "boxes: 96 images, 96 boxes")
    assert description.licences[0].what == "rendered shapes"
    assert [command.split()[:2] for command in description.commands] == [
        ["wordcam-train", "train"],
        ["wordcam-train", "export"],
        ["wordcam-convert", "convert"],
    ]
    assert len(description.representative.images) == 96
    assert all(Path(path).is_file() for path in description.representative.images)


def test_tensors_have_the_names_and_shapes_of_the_contract(
    exported: converter.Export, model: Any, example: Any
) -> None:
    seen = model["encoder"](image=example)
    started = model["decoder_init"](cells=seen["cells"])
    step = model["decoder_step"](
        tokens=tf.constant([vocabulary.START] * 3),
        state=tf.repeat(started["state"], 3, 0),
        keys=started["keys"],
        values=started["values"],
    )
    found = model["detector"](**seen)

    assert {name: tuple(value.shape) for name, value in seen.items()} == {
        "c3": (1, 12, 12, 40),
        "c4": (1, 6, 6, 112),
        "cells": (1, 9, 1280),
    }
    assert {name: tuple(value.shape) for name, value in started.items()} == {
        "keys": (1, 9, 32),
        "values": (1, 9, 48),
        "state": (1, 64),
        "expected": (1, (exported.phrases or "").count("\n")),
    }
    assert {name: tuple(value.shape) for name, value in step.items()} == {
        "log_probs": (3, 15),
        "next_state": (3, 64),
        "attention": (3, 9),
    }
    assert {name: tuple(value.shape) for name, value in found.items()} == {"boxes": (1, 189, 4), "scores": (1, 189, 2)}
    np.testing.assert_allclose(np.exp(step["log_probs"]).sum(-1), 1, atol=1e-4)
    np.testing.assert_allclose(step["attention"].numpy().sum(-1), 1, atol=1e-4)
    assert 0 <= float(tf.reduce_min(found["scores"])) <= float(tf.reduce_max(found["scores"])) <= 1


def test_the_exported_parts_say_what_the_trained_captioner_says(
    trained: Workstation, exported: converter.Export, model: Any
) -> None:
    loaded = recipe.load(trained.recipe)
    prepared, run = prepare.gather(loaded), RunDir(trained.run)
    _, val = captioning.load_features(loaded, prepared, run)
    captioner = captioning.load(loaded, prepared.vocabulary, val.maps[0].shape[-1], run)
    wanted = list(beam_search.captions(captioner, val.maps[0][:6], prepared.vocabulary, captioning.GREEDY))

    for cells, words in zip(val.maps[0][:6], wanted, strict=True):
        started = model["decoder_init"](cells=tf.constant(cells[None], tf.float32))
        state, token = started["state"], vocabulary.START
        spoken: list[int] = []
        while token != vocabulary.END and len(spoken) < len(words) + 1:
            step = model["decoder_step"](
                tokens=tf.constant([token]), state=state, keys=started["keys"], values=started["values"]
            )
            odds = step["log_probs"].numpy()[0]
            odds[[vocabulary.PAD, vocabulary.START, vocabulary.UNKNOWN]] = -np.inf
            token, state = int(odds.argmax()), step["next_state"]
            spoken.append(token)
        assert exported.vocabulary.decode(spoken) == words


def test_the_figures_are_those_of_the_trained_weights(trained: Workstation) -> None:
    loaded = recipe.load(trained.recipe)
    figures = evaluate.captions(loaded, prepare.gather(loaded), RunDir(trained.run))

    assert figures["sample"]["images"] == 24
    assert figures["sample"]["cider"] > 0.7
