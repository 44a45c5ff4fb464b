"""What the shipped templates say, in every language they ship in."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from contract import vocabulary
from trainer.data import caption_templates, hazard_scenes
from trainer.data.caption_templates import Templates
from trainer.data.dataset import CaptionDatasetBuilder
from trainer.data.quality.issues import Findings
from trainer.tokenizers import Split, splitter

CONFIG = Path(__file__).resolve().parents[3] / "config"


@dataclass(frozen=True, slots=True)
class LoadedBundle:
    """Templates with their language."""

    language: str
    templates: Templates
    split: Split

    def said(self, *, of_danger: bool) -> list[tuple[str, str]]:
        """Return each key with every sentence of it, filled in."""
        return [
            (key.partition("/")[0], sentence)
            for key in self.templates.sentences
            if (key.partition("/")[0] != "none") == of_danger
            for sentence in self.templates.wordings(key)
        ]

    def names(self, sentence: str, danger: str) -> bool:
        """Return whether a sentence holds a term of a danger, word by word."""
        words = f" {' '.join(self.split(sentence))} "
        return any(f" {' '.join(self.split(term))} " in words for term in self.templates.terms[danger])


@pytest.fixture(scope="module", params=["en", "ko"])
def loaded(request: pytest.FixtureRequest) -> LoadedBundle:
    name = "hazard-sentences.yaml" if request.param == "en" else f"hazard-sentences-{request.param}.yaml"
    return LoadedBundle(request.param, caption_templates.load(CONFIG / name), splitter(request.param))


def test_every_sentence_of_a_danger_names_it(loaded: LoadedBundle) -> None:
    said = loaded.said(of_danger=True)

    assert len(said) > 50
    assert [sentence for danger, sentence in said if not loaded.names(sentence, danger)] == []


def test_no_sentence_of_peace_names_a_danger(loaded: LoadedBundle) -> None:
    dangers = loaded.templates.terms

    assert [
        sentence
        for _, sentence in loaded.said(of_danger=False)
        if any(loaded.names(sentence, danger) for danger in dangers)
    ] == []


def test_every_danger_has_sentences_and_every_sentence_a_danger(loaded: LoadedBundle) -> None:
    assert set(loaded.templates.labels()) - {"none"} == set(loaded.templates.terms)


def test_a_sentence_cut_into_words_and_joined_again_is_the_same(loaded: LoadedBundle) -> None:
    said = [sentence for danger in (True, False) for _, sentence in loaded.said(of_danger=danger)]

    assert [
        sentence for sentence in said if vocabulary.text(loaded.split(sentence), loaded.language) != sentence
    ] == []  # in Korean also a particle of the wrong shape would come out otherwise


def test_every_language_speaks_of_the_same_scenes(loaded: LoadedBundle) -> None:
    english = caption_templates.load(CONFIG / "hazard-sentences.yaml")

    assert set(loaded.templates.sentences) == set(english.sentences)
    assert set(loaded.templates.terms) == set(english.terms)


def test_real_scenes_of_danger_all_have_sentences(loaded: LoadedBundle, shared_data: Path) -> None:
    findings, builder = Findings(), CaptionDatasetBuilder(loaded.split)
    hazard_scenes.captions(
        shared_data / "hazards" / "hazards_val.json", loaded.templates, "hazards", builder, findings.of("val")
    )
    dataset = builder.build()

    assert {example.label for example in dataset} >= {"gun", "fire", "none"}
    assert all(example.path.is_file() for example in dataset)
    assert {example.label for example in dataset if not example.sentences} <= {caption_templates.CALM}
    assert not findings
