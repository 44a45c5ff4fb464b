"""The metrics against coco-caption's own code, NLTK, Stanford's tokenizer and worked examples of the papers."""

import math
import shutil
import subprocess
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nltk.metrics.distance import jaccard_distance
from nltk.translate.bleu_score import corpus_bleu
from pycocoevalcap.bleu.bleu_scorer import BleuScorer
from pycocoevalcap.cider.cider_scorer import CiderScorer
from pycocoevalcap.rouge.rouge import Rouge

from trainer import metrics
from trainer.metrics import CiderD

WRITTEN = [
    ["a man holds a gun in a dark corridor", "a man with a gun", "someone is holding a pistol"],
    ["two dogs run on the grass", "two brown dogs are running through a field of grass", "dogs playing"],
    ["a house is on fire", "flames and smoke come out of a house", "a burning house at night"],
    ["a child slides down a red slide", "a small child is on a slide", "a girl slides down a slide in a park"],
    ["people walk along a busy street", "a crowd of people is walking down the street", "a street with many people"],
]
SAID = [
    "a man is holding a gun",
    "two dogs are running through the grass",
    "a house is on fire with smoke",
    "a small child is on a red slide",
    "people are walking down a street in the city",
]


def words(text: str) -> list[str]:
    return text.split()


candidates = [sentence.split() for sentence in SAID]
references = [[sentence.split() for sentence in group] for group in WRITTEN]

Drawn = list[tuple[list[str], list[list[str]]]]
word = st.sampled_from(words("a man dog runs on the grass"))
sentence = st.lists(word, min_size=1, max_size=9)
example = st.tuples(sentence, st.lists(sentence, min_size=1, max_size=3))
examples = st.lists(example, min_size=1, max_size=4)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        pytest.param("Two Dogs, one ball.", "two dogs one ball", id="punctuation is dropped"),
        pytest.param("A man's hat isn't on.", "a man 's hat is n't on", id="contractions split"),
        pytest.param("They’re here; we can’t go", "they 're here we ca n't go", id="typographic apostrophes"),
        pytest.param("a well-lit t-shirt and/or hat", "a well-lit t-shirt and/or hat", id="hyphenated words stay"),
        pytest.param("1st of 3.5 and 1/2 at 10:30", "1st of 3.5 and 1/2 at 10:30", id="numbers stay whole"),
        pytest.param("a 50-yard line, $5 & #7", "a 50-yard line $ 5 & # 7", id="signs stand alone"),
        pytest.param("it cannot, it's gonna", "it can not it 's gon na", id="two words in one"),
        pytest.param("at five o'clock in the u.s. today", "at five o'clock in the u.s. today", id="points inside"),
        pytest.param("한 남자가 총을 들고 있다.", "한 남자가 총을 들고 있다", id="Korean"),
        pytest.param(" \n...!?", "", id="nothing but punctuation"),
    ],
)
def test_a_caption_splits_as_coco_caption_splits_it(text: str, tokens: str) -> None:
    found = metrics.tokenize(text)

    assert found == tokens.split()


def test_stanfords_tokenizer_agrees_on_every_sentence_of_the_table(tmp_path: Path) -> None:
    spec = find_spec("pycocoevalcap.tokenizer")
    if shutil.which("java") is None or spec is None or not spec.submodule_search_locations:
        pytest.skip("Stanford's tokenizer needs Java")
    jar = Path(spec.submodule_search_locations[0]) / "stanford-corenlp-3.4.1.jar"
    sentences = [text for group in WRITTEN for text in group] + [
        "A man's hat isn't on, is it?",
        "They're on the well-lit court; it's 1st of 3.5 and 1/2 at 10:30!",
        'The "50-yard" line & #7 and/or $5',
        "it cannot be five o'clock",
    ]
    file = tmp_path / "sentences.txt"
    file.write_text("\n".join(sentences) + "\n", encoding="utf-8")
    command = [
        "java",
        "-cp",
        str(jar),
        "edu.stanford.nlp.process.PTBTokenizer",
        "-preserveLines",
        "-lowerCase",
        str(file),
    ]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    dropped = {"''", "'", "``", "`", ".", "?", "!", ",", ":", "-", "--", "...", ";"}
    theirs = [[token for token in line.split() if token not in dropped] for line in output.splitlines()]

    ours = [metrics.tokenize(text) for text in sentences]

    assert ours == theirs


def test_bleu_gives_the_second_worked_example_of_the_paper() -> None:
    party = "It is a guide to action which ensures that the military always obeys the commands of the party"
    forever = "It is a guide to action that ensures that the military will forever heed Party commands"
    forces = (
        "It is the guiding principle which guarantees the military forces always being under the command of the Party"
    )
    practical = "It is the practical guide for the army always to heed the directions of the party"

    scores = metrics.bleu([party.split()], [[forever.split(), forces.split(), practical.split()]])

    assert scores[0] == pytest.approx(17 / 18, abs=0.08)
    assert scores[3] == pytest.approx(corpus_bleu([[s.split() for s in (forever, forces, practical)]], [party.split()]))


def test_a_word_counts_no_more_often_than_in_the_reference_that_has_it_most() -> None:
    said = words("the the the the the the the")
    meant = [words("the cat is on the mat"), words("there is a cat on the mat")]

    scores = metrics.bleu([said], [meant])

    assert scores[0] == pytest.approx(2 / 7)
    assert scores[1:] == (0.0, 0.0, 0.0)


def test_a_short_candidate_pays_for_its_brevity() -> None:
    scores = metrics.bleu([["a", "man"]], [[["a", "man", "on", "grass"]]])

    assert scores[0] == pytest.approx(math.exp(1 - 4 / 2))


def test_bleu_agrees_with_coco_captions_own_code() -> None:
    scorer = BleuScorer(n=4)
    for said, group in zip(SAID, WRITTEN, strict=True):
        scorer += (said, group)
    theirs, _ = scorer.compute_score(option="closest", verbose=0)

    assert metrics.bleu(candidates, references) == pytest.approx(theirs, abs=1e-6)


@given(examples)
def test_bleu_agrees_with_coco_captions_code_wherever_something_matches(drawn: Drawn) -> None:
    ours = metrics.bleu([said for said, _ in drawn], [refs for _, refs in drawn])
    scorer = BleuScorer(n=4)
    for said, refs in drawn:
        scorer += (" ".join(said), [" ".join(ref) for ref in refs])
    theirs, _ = scorer.compute_score(option="closest", verbose=0)

    for mine, other in zip(ours, theirs, strict=True):
        assert mine == (pytest.approx(other, rel=1e-5) if mine else 0.0)


def test_weighted_bleu_agrees_with_nltk() -> None:
    weights = (0.5, 0.3, 0.2)

    assert metrics.weighted_bleu(candidates, references, weights) == pytest.approx(
        corpus_bleu(references, candidates, weights=weights)
    )
    assert metrics.weighted_bleu(candidates, references) == pytest.approx(
        corpus_bleu(references, candidates, weights=(1 / 3, 1 / 3, 1 / 3))
    )


def test_cider_agrees_with_coco_captions_own_code() -> None:
    scorer = CiderScorer()
    for said, group in zip(SAID, WRITTEN, strict=True):
        scorer += (said, group)
    mean, each = scorer.compute_score()

    cider = CiderD(references)

    assert cider.cached(candidates, references) == pytest.approx(mean)
    assert [cider.score(said, refs) for said, refs in zip(candidates, references, strict=True)] == pytest.approx(each)


@given(examples)
def test_cider_agrees_with_coco_captions_code_on_anything(drawn: Drawn) -> None:
    scorer = CiderScorer()
    for said, refs in drawn:
        scorer += (" ".join(said), [" ".join(ref) for ref in refs])
    _, theirs = scorer.compute_score()

    cider = CiderD([refs for _, refs in drawn])

    assert [cider.score(said, refs) for said, refs in drawn] == pytest.approx(list(theirs), abs=1e-9)


def test_cider_scores_a_sentence_of_another_image_by_the_same_frequencies() -> None:
    cider = CiderD(references)

    right = cider.score(words("a house is on fire"), references[2])
    wrong = cider.score(words("a house is on fire"), references[1])

    assert 0 <= wrong < right <= 10


def test_an_empty_candidate_scores_nothing() -> None:
    assert metrics.bleu([[]], references[:1]) == (0.0, 0.0, 0.0, 0.0)
    assert CiderD(references).score([], references[0]) == 0.0
    assert metrics.rouge_l([[]], references[:1]) == 0.0


def test_nothing_at_all_scores_zero() -> None:
    assert metrics.bleu([], []) == (0.0, 0.0, 0.0, 0.0)
    assert CiderD([]).cached([], []) == 0.0


def test_rouge_l_agrees_with_coco_captions_own_code() -> None:
    theirs, _ = Rouge().compute_score(dict(enumerate(WRITTEN)), {at: [said] for at, said in enumerate(SAID)})

    assert metrics.rouge_l(candidates, references) == pytest.approx(theirs)


@pytest.mark.parametrize("score", [metrics.bleu, metrics.rouge_l, CiderD(references).cached])
def test_an_image_without_references_is_named(score: Callable[..., object]) -> None:
    with pytest.raises(ValueError, match="image 1 has no reference"):
        score([["a"], ["b"]], [[["a"]], []])
    with pytest.raises(ValueError, match="2 candidates cannot be scored against references of 1"):
        score([["a"], ["b"]], [[["a"]]])


def test_a_single_sentence_without_references_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one reference"):
        CiderD(references).score(["a"], [])


def test_jaccard_is_the_share_of_words_in_common() -> None:
    assert metrics.jaccard(words("a red dog"), words("a big red cat")) == pytest.approx(2 / 5)
    assert metrics.jaccard([], []) == 1.0
    assert metrics.jaccard(["a"], []) == 0.0


def test_cosine_compares_word_counts() -> None:
    assert metrics.cosine(words("a a b"), words("a b b")) == pytest.approx(4 / 5)
    assert metrics.cosine([], ["a"]) == 0.0
    assert metrics.cosine(["b"], ["a"]) == 0.0


def test_the_seeds_weighing_is_the_mean_of_one_to_three_grams() -> None:
    figures = metrics.figures(candidates, references)

    assert figures["bleu_seed"] == pytest.approx(corpus_bleu(references, candidates, weights=(1 / 3, 1 / 3, 1 / 3)))


def test_overlap_is_the_mean_over_images_and_their_references() -> None:
    said = [words("a red dog"), words("a cat")]
    meant = [[words("a big red cat"), words("a red dog")], [words("two dogs")]]

    figures = metrics.figures(said, meant)

    assert figures["jaccard"] == pytest.approx(((2 / 5 + 1) / 2 + 0) / 2)
    assert figures["cosine"] == pytest.approx(((2 / math.sqrt(12) + 1) / 2 + 0) / 2)


def test_jaccard_agrees_with_nltk() -> None:
    for said, refs in zip(candidates, references, strict=True):
        theirs = [1 - jaccard_distance(set(said), set(reference)) for reference in refs]

        assert [metrics.jaccard(said, reference) for reference in refs] == pytest.approx(theirs)


@given(sentence, sentence)
def test_cosine_agrees_with_numpy(ours: list[str], theirs: list[str]) -> None:
    known = sorted({*ours, *theirs})
    one, other = (np.array([tokens.count(token) for token in known], float) for tokens in (ours, theirs))

    assert metrics.cosine(ours, theirs) == pytest.approx(one @ other / np.linalg.norm(one) / np.linalg.norm(other))


def test_a_report_holds_every_figure() -> None:
    figures = metrics.figures(candidates, references)

    assert list(figures) == [
        *(f"bleu_{order}" for order in range(1, 5)),
        *("cider", "rouge_l", "bleu_seed", "jaccard", "cosine"),
    ]
    assert figures["bleu_4"] == metrics.bleu(candidates, references)[3]
    assert figures["cider"] == CiderD(references).cached(candidates, references)
    assert figures["rouge_l"] == metrics.rouge_l(candidates, references)


def test_of_english_a_report_says_how_many_sentences_invent_things() -> None:
    said = [words("a dog on the grass"), words("a cat on the grass")]
    written = [[words("a puppy is playing")], [words("a puppy is playing")]]

    assert metrics.figures(said, written, language="en")["invented"] == 0.5
    assert "invented" not in metrics.figures(said, written, language="ko")


def test_a_report_of_nothing_is_all_zero() -> None:
    assert set(metrics.figures([], []).values()) == {0.0}
