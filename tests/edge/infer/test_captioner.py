"""The captioner on a real bundle, through both runtimes."""

import dataclasses
import math
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from contract import bundle, vocabulary
from contract.errors import Refused
from contract.vocabulary import END, SPECIALS
from edge.infer import image, minimum_bayes_risk, runtime, self_test
from edge.infer.captioner import UNSURE, WEAKER, Captioner
from tests import tiny_bundle
from tests.edge import pictures
from tests.edge.pictures import BLUE, DARK, GREEN, RED

SHIPPED = Path(__file__).parents[3] / "models/wordcam-1"


@pytest.fixture(scope="module")
def captioner(tiny: Path) -> Captioner:
    return Captioner.open(tiny)


def say(captioner: Captioner, colour: tuple[int, int, int]) -> str:
    return captioner.caption(captioner.encode(pictures.plain(colour))).text


def test_the_sentence_speaks_of_the_picture(captioner: Captioner) -> None:
    assert say(captioner, RED).startswith("a fire burning")
    assert say(captioner, GREEN).startswith("a dog lying")
    assert say(captioner, BLUE) == "a man walking on the street"
    assert say(captioner, DARK).startswith("a gun")


def test_korean_words_are_joined_with_their_particles(tiny: Path, tmp_path: Path) -> None:
    korean = {
        "a": "한",
        "man": "남자",
        "walking": "+이/가",
        "on": "길",
        "the": "+을/를",
        "street": "걷",
        "dog": "+는다",
    }
    known = tiny_bundle.vocabulary().words[len(SPECIALS) :]
    folder = shutil.copytree(tiny, tmp_path / "korean")
    manifest = bundle.load(folder)
    words = folder / "vocabulary.txt"
    words.write_text(vocabulary.dump(vocabulary.of(korean.get(word, word) for word in known)), encoding="utf-8")
    files = {**manifest.files, "vocabulary": bundle.describe(words)}
    bundle.write(folder, replace(manifest, language="ko", files=files, hazards={"walk": ("남자 +이/가",)}))
    captioner = Captioner.open(folder)

    said = captioner.caption(captioner.encode(pictures.plain(BLUE)))

    assert said.words == ("한", "남자", "+이/가", "길", "+을/를", "걷")
    assert said.text == "한 남자가 길을 걷"
    assert said.hazards[0].term == "walk"


def test_confidence_is_the_geometric_mean_of_the_tokens_probabilities(captioner: Captioner) -> None:
    said = captioner.caption(captioner.encode(pictures.plain(BLUE)))
    best = said.hypotheses[0]

    assert said.tokens == best.tokens == (*captioner.vocabulary.encode(said.words)[1:-1], END)
    assert said.confidence == pytest.approx(math.exp(sum(best.log_probs)) ** (1 / len(best.log_probs)))
    assert 0 < said.confidence < 1


def test_a_danger_in_some_of_the_beam_is_told_though_the_best_sentence_is_silent(captioner: Captioner) -> None:
    halfway = next(
        said
        for red in range(30, 220, 2)
        if "fire" not in (said := captioner.caption(captioner.encode(pictures.plain((red, 30, 120))))).text
        and said.hazards
        and "burning" not in said.text
    )
    named = [hazard for hazard in halfway.hazards if hazard.term == "fire"]

    assert 0 < named[0].probability < 1


def test_the_detector_uses_the_encoders_features(captioner: Captioner) -> None:
    half = pictures.plain(GREEN)
    half[:, 80:] = BLUE

    found = captioner.detect(captioner.encode(half))

    assert {detection.name for detection in found} == {"person"}
    assert all(detection.x + detection.w / 2 > 0.5 for detection in found)
    assert captioner.detect(captioner.encode(pictures.plain(RED))) == []


def test_one_picture_does_not_change_what_is_said_of_another(captioner: Captioner) -> None:
    red, blue = (captioner.encode(pictures.plain(colour)) for colour in (RED, BLUE))
    before = captioner.caption(red), captioner.caption(blue)

    assert (captioner.caption(red).hypotheses[0].tokens, captioner.caption(blue).hypotheses[0].tokens) == (
        before[0].tokens,
        before[1].tokens,
    )
    assert np.array_equal(red.cells, captioner.encode(pictures.plain(RED)).cells)


def test_every_hypothesis_attends_to_every_cell_at_every_token(captioner: Captioner) -> None:
    features = captioner.encode(pictures.plain(RED))
    best = captioner.caption(features).hypotheses[0]

    assert len(best.attention) == len(best.tokens)
    assert {row.shape for row in best.attention} == {(features.cells.shape[1],)}
    assert [float(row.sum()) for row in best.attention] == pytest.approx([1.0] * len(best.tokens), abs=1e-3)


def shipped(pull: float) -> Captioner:
    contents = bundle.read(SHIPPED)
    decoding = replace(contents.manifest.decoding, pull=pull)
    manifest = replace(contents.manifest, decoding=decoding)
    return Captioner(SHIPPED, dataclasses.replace(contents, manifest=manifest), threads=1, beam_width=None)


def test_what_a_strong_pull_puts_together_is_searched_again_with_a_weaker_one() -> None:
    strong, weaker = shipped(60.0), shipped(60.0 * WEAKER)

    sentence = strong.caption(strong.encode(self_test.stripes()))

    assert sentence.text == weaker.caption(weaker.encode(self_test.stripes())).text
    assert sentence.confidence >= UNSURE


def test_a_narrower_beam_gives_fewer_hypotheses(tiny: Path) -> None:
    narrow = Captioner.open(tiny, beam_width=1)

    assert len(narrow.search(narrow.encode(pictures.plain(RED)))) == 1


def test_a_beam_wider_than_the_decoder_is_refused(tiny: Path) -> None:
    with pytest.raises(Refused, match="beam width 4; this decoder takes 1 to 3"):
        Captioner.open(tiny, beam_width=4)


def test_a_bundle_without_detector_finds_nothing(tiny: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(tiny, tmp_path / "copy")
    manifest = bundle.load(folder)
    files = {role: file for role, file in manifest.files.items() if role != "detector"}
    bundle.write(folder, replace(manifest, files=files, detection=None))

    captioner = Captioner.open(folder)

    assert captioner.detect(captioner.encode(pictures.plain(BLUE))) == []


def test_a_vocabulary_of_another_size_is_refused(tiny: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(tiny, tmp_path / "copy")
    with (folder / "vocabulary.txt").open("a", encoding="utf-8") as file:
        file.write("zebra\n")
    files = dict(bundle.load(tiny).files) | {"vocabulary": bundle.describe(folder / "vocabulary.txt")}
    bundle.write(folder, replace(bundle.load(tiny), files=files))

    with pytest.raises(Refused, match=r"the decoder has \d+ words, the vocabulary \d+"):
        Captioner.open(folder)


def test_a_file_that_is_no_model_is_named(tiny: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(tiny, tmp_path / "copy")
    (folder / "encoder.tflite").write_bytes(b"not a flatbuffer" * 99)
    files = dict(bundle.load(tiny).files) | {"encoder": bundle.describe(folder / "encoder.tflite")}
    bundle.write(folder, replace(bundle.load(tiny), files=files))

    with pytest.raises(runtime.NotAModel, match=r"encoder\.tflite: .*; convert the model again"):
        Captioner.open(folder)


@pytest.fixture(scope="session")
def older_runtime(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with tflite-runtime and the numpy 1 that it needs; skips where pip cannot get them."""
    if sys.version_info >= (3, 12):
        pytest.skip("tflite-runtime ends at CPython 3.11")
    folder = tmp_path_factory.mktemp("tflite-runtime")
    wanted = ["tflite-runtime==2.14.0", "numpy>=1.26,<2", "opencv-python-headless>=4.10,<4.12", "msgspec>=0.19"]
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(folder), *wanted]
    done = subprocess.run(install, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"tflite-runtime cannot be installed: {done.stderr.strip()[-200:]}")
    return folder


def test_both_runtimes_say_the_same(tiny: Path, older_runtime: Path, tmp_path: Path) -> None:
    files = [pictures.write(tmp_path / f"{n}.png", pictures.plain(c)) for n, c in enumerate((RED, GREEN, BLUE, DARK))]
    root = Path(__file__).resolve().parents[3]
    script = (
        "import sys; from pathlib import Path; from edge.infer import image, runtime;"
        "from edge.infer.captioner import Captioner; c = Captioner.open(Path(sys.argv[1])); print(runtime.name());"
        "[print(c.caption(c.encode(image.read(Path(file)))).text) for file in sys.argv[2:]]"
    )

    said = {}
    for name, path in (("litert", [root]), ("tflite-runtime", [older_runtime, root])):
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, path)), "WORDCAM_TFLITE": name}
        program = [sys.executable, "-c", script, str(tiny), *map(str, files)]
        done = subprocess.run(program, capture_output=True, text=True, check=True, env=environment, cwd=tmp_path)
        said[name] = done.stdout.splitlines()

    assert said["litert"][0] == "litert"
    assert said["tflite-runtime"][0] == "tflite-runtime"
    assert said["litert"][1:] == said["tflite-runtime"][1:]
    assert len(said["litert"]) == 5


def test_a_real_picture_is_captioned(captioner: Captioner, shared_data: Path) -> None:
    picture = next((shared_data / "flickr8k" / "images").glob("*.jpg"))

    said = captioner.caption(captioner.encode(image.read(picture)))

    assert said.words[0] == "a"
    assert len(said.words) == len(tiny_bundle.PATTERN)


def test_a_bundle_may_ask_for_the_sentence_that_the_beam_agrees_on(tiny: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(tiny, tmp_path / "agreeing")
    manifest = bundle.load(tiny)
    asked = replace(manifest.decoding, consensus=5.0)
    bundle.write(folder, replace(manifest, decoding=asked))
    probable, agreed = (Captioner.open(place) for place in (tiny, folder))
    greys = [pictures.plain((shade, shade, shade)) for shade in range(40, 240, 20)]  # the beam is of several minds
    said = [[one.search(one.encode(grey)) for one in (probable, agreed)] for grey in greys]

    agreement = [
        minimum_bayes_risk.agreement([one.tokens[:-1] for one in first], [one.total for one in first], 5.0)
        for first, _ in said
    ]
    ranks = [sorted(range(len(row)), key=lambda at: -row[at]) for row in agreement]
    for (first, other), rank in zip(said, ranks, strict=True):
        assert [one.tokens for one in other] == [first[at].tokens for at in rank]
    assert any(rank != sorted(rank) for rank in ranks)
