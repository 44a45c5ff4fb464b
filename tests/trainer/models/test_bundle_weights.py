"""What is read back of a bundle says what the bundle says, and what a bundle does not know stays as it was."""

import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from contract import vocabulary
from edge.infer import image
from edge.infer.captioner import Captioner, Features
from tests.trainer import small_data
from trainer.data import prepare
from trainer.errors import CheckpointError
from trainer.models import bundle_weights
from trainer.recipe import initial_bundle, recipe
from trainer.recipe.data import Data
from trainer.recipe.recipe import Detector, Encoder, HazardClassifier
from trainer.recipe.run_dir import RunDir
from trainer.training import feature_cache
from trainer.training.stages import captioner, detector, hazard_classifier, joint_finetuning

BUNDLE = Path(__file__).resolve().parents[3] / "models" / "wordcam-1"

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")


@pytest.fixture(scope="module")
def device() -> Captioner:
    return Captioner.open(BUNDLE)


@pytest.fixture(scope="module")
def scene() -> Any:
    """Return an image with edges, colours and noise, RGB."""
    random = np.random.default_rng(7)
    rgb = np.full((256, 256, 3), (90, 140, 200), np.uint8)
    cv2.rectangle(rgb, (40, 60), (120, 250), (200, 60, 40), -1)
    cv2.circle(rgb, (180, 90), 50, (30, 160, 60), -1)
    return np.clip(rgb + random.normal(0, 12, rgb.shape), 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def seen(device: Captioner, scene: Any) -> Features:
    return device.encode(scene)


def near_duplicates(one: Any, other: Any) -> float:
    """Return the cosine of two arrays."""
    one, other = np.asarray(one, np.float64).ravel(), np.asarray(other, np.float64).ravel()
    return float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))


def maps_of(network: Any, scene: Any) -> Any:
    return network(image.fit(scene, 256, 256)[np.newaxis].astype(np.float32), training=False)


def test_the_encoder_sees_what_the_device_sees(scene: Any, seen: Features) -> None:
    network = feature_cache.build_encoder(Encoder(height=256, width=256, weights="imagenet"))
    untuned = near_duplicates(maps_of(network, scene)["cells"], seen.cells)

    bundle_weights.encoder(initial_bundle.load(BUNDLE), network, frozenset())

    maps = maps_of(network, scene)
    assert untuned < 0.9  # the bundle's encoder was tuned
    assert all(near_duplicates(maps[name], getattr(seen, name)) > 0.97 for name in ("c3", "c4", "cells"))


def test_the_captioner_says_each_word_as_probably_as_the_device(device: Captioner, seen: Features) -> None:
    found, sizes = initial_bundle.load(BUNDLE), recipe.Decoder()
    model = captioner.build(small_recipe(sizes), found.words, seen.cells.shape[-1])

    bundle_weights.captioner(found, model, found.words)

    keys, values, state = model.look(seen.cells)
    start = device.start(device.weigh(seen))
    for own, theirs in ((keys, "keys"), (values, "values"), (state, "state")):
        assert near_duplicates(own, start[theirs]) > 0.999
    embedded = model.embedding(np.array([vocabulary.START]))
    context, moved, _ = model.step(model.token_gates(embedded)[None], state[None], keys, values)
    said = np.asarray(model.say(moved[0], context[0], embedded))[0]
    first = device.search(seen)[0]
    log_probs = said - np.log(np.exp(said - said.max()).sum()) - said.max()
    assert np.exp(log_probs[first.tokens[0]]) == pytest.approx(np.exp(first.log_probs[0]), abs=0.02)


def test_a_word_that_the_bundle_does_not_know_keeps_its_own_vector() -> None:
    found = initial_bundle.load(BUNDLE)
    words = vocabulary.of(("zebrafish", *found.words.words[4:40][::-1]))
    model = captioner.build(small_recipe(recipe.Decoder()), words, 1280)
    before = np.array(model.embedding.get_weights()[0])

    bundle_weights.captioner(found, model, words)

    after = np.asarray(model.embedding.get_weights()[0])
    tied = bundle_weights.network(found, "decoder_step").layers[bundle_weights.TIED].kernel.T
    np.testing.assert_array_equal(after[words.ids["zebrafish"]], before[words.ids["zebrafish"]])
    known = words.words[10]
    np.testing.assert_array_equal(after[words.ids[known]], tied[found.words.ids[known]])


def test_dangers_and_classes_are_taken_by_name_and_new_ones_keep_their_own(device: Captioner, seen: Features) -> None:
    found = initial_bundle.load(BUNDLE)
    dangers, classes = ["flood", "fire", "gun"], ("gun", "bicycle", "person")
    hazard_network = hazard_classifier.build(1280, len(dangers), HazardClassifier())
    own = np.array(hazard_network.get_layer("odds").get_weights()[0])
    shapes = {name: np.zeros(getattr(seen, name).shape) for name in ("c3", "c4", "cells")}
    boxes = detector.build(Detector(classes=classes), shapes)

    bundle_weights.evidence(found, hazard_network, dangers)
    bundle_weights.detector(found, boxes.network, classes)

    kernel, theirs = (
        np.asarray(hazard_network.get_layer("odds").get_weights()[0]),
        bundle_weights.network(found, "decoder_init").layers["odds"],
    )
    np.testing.assert_array_equal(kernel[:, 0], own[:, 0])
    np.testing.assert_array_equal(kernel[:, 1], theirs.kernel[:, list(found.manifest.evidence).index("fire")])
    answer = boxes.network({name: getattr(seen, name) for name in shapes}, training=False)
    assert device.manifest.detection is not None
    theirs_scores = device._detector.run(c3=seen.c3, c4=seen.c4, cells=seen.cells)["scores"]  # type: ignore[union-attr]
    person = theirs_scores[0, :, device.manifest.detection.classes.index("person")]
    np.testing.assert_allclose(1 / (1 + np.exp(-np.asarray(answer["odds"])[0, :, 2])), person, atol=0.06)


def test_statistics_that_a_bundle_folded_away_are_found_again_without_changing_what_is_computed(seen: Features) -> None:
    found, random = initial_bundle.load(BUNDLE), np.random.default_rng(3)
    assert found.manifest.detection is not None
    maps = {
        name: np.abs(getattr(seen, name) * random.normal(1, 0.3, (16, *getattr(seen, name).shape[1:]))).astype(
            np.float32
        )
        for name in ("c3", "c4", "cells")
    }
    network = detector.build(Detector(classes=found.manifest.detection.classes), maps).network
    bundle_weights.detector(found, network, found.manifest.detection.classes)
    astray = np.asarray(network(maps, training=True)["odds"])
    before = np.asarray(network(maps, training=False)["odds"])

    bundle_weights.recalibrate_batch_norm(network, maps)

    np.testing.assert_allclose(np.asarray(network(maps, training=False)["odds"]), before, atol=1e-3)
    within = np.asarray(network(maps, training=True)["odds"])
    assert np.abs(within - before).mean() < 0.2 * np.abs(astray - before).mean()


def test_tuning_begins_with_a_bundle(tmp_path: Path) -> None:
    sections: dict[str, Any] = {
        "encoder": {"height": 32, "width": 32, "weights": "imagenet", "batch_size": 4},
        "hazard_classifier": {},
        "detector": {"classes": ["wall", "fire"], "batch_size": 4},
        "finetuning": {"start": str(BUNDLE), "batch_size": 4},
    }
    made = small_data.recipe(tmp_path, hazards=4, decoder={}, **sections)
    assert made.finetuning is not None
    encoder = feature_cache.build_encoder(made.encoder)
    stem = np.array(encoder.get_layer("stem_conv").get_weights()[0])

    run = RunDir(tmp_path / "run")
    joint_finetuning.build_heads(made, made.finetuning, prepare.gather(made), run, encoder)

    fresh = feature_cache.build_encoder(made.encoder)
    head, own_head = (network.get_layer("head_conv").get_weights()[0] for network in (encoder, fresh))
    assert np.abs(np.asarray(head) - np.asarray(own_head)).max() > 0
    np.testing.assert_array_equal(encoder.get_layer("stem_conv").get_weights()[0], stem)


def test_a_bundle_of_other_sizes_is_refused_by_name(tmp_path: Path) -> None:
    model = captioner.build(small_recipe(recipe.Decoder(state=64)), initial_bundle.load(BUNDLE).words, 1280)

    with pytest.raises(CheckpointError, match=r"wordcam-1: first: "):
        bundle_weights.captioner(initial_bundle.load(BUNDLE), model, initial_bundle.load(BUNDLE).words)


def test_a_bundle_that_is_not_whole_is_refused(tmp_path: Path) -> None:
    broken = shutil.copytree(BUNDLE, tmp_path / "broken")
    (broken / "encoder.tflite").write_bytes(b"no network")

    with pytest.raises(CheckpointError, match=r"encoder\.tflite"):
        initial_bundle.load(broken)


def small_recipe(sizes: recipe.Decoder) -> Any:
    """Return what `captioning.build` asks of a recipe: the decoder's sizes."""
    return recipe.Recipe(name="small", version="1.0.0", data=Data(captions=(), licences=()), decoder=sizes)
