"""What the shipped templates say, in every language they ship in."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from contract import vocabulary
from trainer.data import caption_templates, hazard_scenes
from trainer.data.caption_templates import Templates
from trainer.data.dataset import CaptionDraft
from trainer.data.quality.issues import Findings
from trainer.tokenizers import Split, splitter

CONFIG = Path(__file__).resolve().parents[3] / "config"


@dataclass(frozen=True, slots=True)
class Shipped:
    """Templates with their language."""

    language: str
    templates: Templates
    split: Split

    def said(self, *, of_danger: bool) -> list[tuple[str, str]]:
        """Give each key with every sentence of it, filled in."""
        return [
            (key.partition("/")[0], sentence)
            for key in self.templates.sentences
            if (key.partition("/")[0] != "none") == of_danger
            for sentence in self.templates.wordings(key)
        ]

    def names(self, sentence: str, danger: str) -> bool:
        """Say whether a sentence holds a term of a danger, word by word."""
        words = f" {' '.join(self.split(sentence))} "
        return any(f" {' '.join(self.split(term))} " in words for term in self.templates.terms[danger])


@pytest.fixture(scope="module", params=["en", "ko"])
def shipped(request: pytest.FixtureRequest) -> Shipped:
    name = "hazard-sentences.yaml" if request.param == "en" else f"hazard-sentences-{request.param}.yaml"
    return Shipped(request.param, caption_templates.load(CONFIG / name), splitter(request.param))


def test_every_sentence_of_a_danger_names_it(shipped: Shipped) -> None:
    said = shipped.said(of_danger=True)

    assert len(said) > 50
    assert [sentence for danger, sentence in said if not shipped.names(sentence, danger)] == []


def test_no_sentence_of_peace_names_a_danger(shipped: Shipped) -> None:
    dangers = shipped.templates.terms

    assert [
        sentence
        for _, sentence in shipped.said(of_danger=False)
        if any(shipped.names(sentence, danger) for danger in dangers)
    ] == []


def test_every_danger_has_sentences_and_every_sentence_a_danger(shipped: Shipped) -> None:
    assert set(shipped.templates.labels()) - {"none"} == set(shipped.templates.terms)


def test_a_sentence_cut_into_words_and_joined_again_is_the_same(shipped: Shipped) -> None:
    said = [sentence for danger in (True, False) for _, sentence in shipped.said(of_danger=danger)]

    assert [
        sentence for sentence in said if vocabulary.text(shipped.split(sentence), shipped.language) != sentence
    ] == []  # in Korean also a particle of the wrong shape would come out otherwise


def test_every_language_speaks_of_the_same_scenes(shipped: Shipped) -> None:
    english = caption_templates.load(CONFIG / "hazard-sentences.yaml")

    assert set(shipped.templates.sentences) == set(english.sentences)
    assert set(shipped.templates.terms) == set(english.terms)


def test_real_scenes_of_danger_all_have_sentences(shipped: Shipped, shared_data: Path) -> None:
    findings, draft = Findings(), CaptionDraft(shipped.split)
    hazard_scenes.captions(
        shared_data / "hazards" / "hazards_val.json", shipped.templates, "hazards", draft, findings.of("val")
    )
    album = draft.album()

    assert {picture.label for picture in album} >= {"gun", "fire", "none"}
    assert all(picture.path.is_file() for picture in album)
    assert {picture.label for picture in album if not picture.sentences} <= {caption_templates.CALM}
    assert not findings
