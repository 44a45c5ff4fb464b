"""The report: one page that holds everything, whatever its runs came to."""

import html.parser
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.trainer import small_data
from trainer.data.example import CaptionExample
from trainer.errors import CheckpointError
from trainer.evaluation.report import attention, caption_examples, images, page, predictions, training_log
from trainer.evaluation.report.predictions import CaptionSample, Confusion, Look, RunReport
from trainer.evaluation.report.training_log import Log

VOID = {"meta", "img", "br"}


class Page(html.parser.HTMLParser):
    """Reads a page, and notes what it refers to and whether its tags close."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.referred: list[str] = []
        self.said = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        self.referred += [str(named[name]) for name in ("src", "href", "xlink:href", "action") if name in named]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.said += data


@pytest.fixture
def sample(tmp_path: Path) -> CaptionSample:
    """An image of which something wrong was said."""
    path = small_data.image(tmp_path / "red.png", "red")
    dhashes = tuple(
        Look(word, attention.heat(np.eye(1, 4, at, np.float32), (2, 2)))
        for at, word in enumerate(("a", "blue", "wall"))
    )
    return CaptionSample(path, "a blue wall", ("a red wall", "<b>red</b> & white"), 1.25, 0.5, "", dhashes)


@pytest.fixture
def run(sample: CaptionSample) -> RunReport:
    """A run that has everything."""
    columns: dict[str, tuple[float | None, ...]] = {
        "loss": (3.0, 2.0),
        "val_loss": (3.1, 2.5),
        "val_cider": (0.2, None),
    }
    return RunReport(
        name="adam",
        changed={"training.optimizer": "adam"},
        captions={"walls": {"bleu_4": 0.25, "cider": 0.5, "images": 4.0}},
        boxes={"wall": {"ap": 0.4, "ap50": 0.6}},
        logs=(Log("captioner", (1, 2), columns),),
        best_epoch=1,
        samples=(sample,),
        worst=(sample,),
        confusion=Confusion(("fire", "none"), ("fire", ""), ((3, 1), (0, 4))),
    )


def test_the_page_needs_no_network_and_runs_no_script(run: RunReport) -> None:
    text = page.render("walls", [run, replace(run, name="sgd")])
    read = Page(text)

    assert read.open == []
    assert read.referred
    assert all(source.startswith(("data:", "#")) for source in read.referred)
    assert all(source.startswith(("data:", "#")) for source in re.findall(r"url\(([^)]*)\)", text))
    assert "<script" not in text
    assert "@import" not in text


def test_what_people_and_models_wrote_is_text_and_never_markup(run: RunReport) -> None:
    text = page.render("<i>walls</i>", [replace(run, name="<u>run</u>")])

    assert "<b>red</b> & white" in Page(text).said
    assert not re.search(r"<[iu]>", text)


def test_every_figure_curve_caption_and_reference_is_shown(run: RunReport) -> None:
    text = page.render("walls", [run])
    said = Page(text).said

    for shown in ("adam", "0.250", "0.500", "a blue wall", "a red wall", "1.25 CIDEr-D", "red.png", "0.600", "75 %"):
        assert shown in said
    assert text.count("<svg") == 2
    assert text.count('alt=""') == 6


def test_the_best_of_each_column_is_marked(run: RunReport) -> None:
    better = replace(run, name="sgd", captions={"walls": {"bleu_4": 0.2, "cider": 0.9, "images": 4.0}})

    text = page.render("walls", [run, better])

    assert re.findall(r'class="number best">([\d.]+)<', text) == ["0.250", "0.900"]
    assert page.leader([run, better]) == (better, 0.9)


def test_a_failed_variant_is_named_with_its_reason_beside_the_others(run: RunReport) -> None:
    said = Page(page.render("walls", [run, RunReport("nadam", "failed", "image.jpg: not an image")])).said

    assert "nadam" in said
    assert "image.jpg: not an image" in said


def test_a_comparison_of_nothing_but_failures_is_still_a_page() -> None:
    said = Page(page.render("walls", [RunReport("adam", "failed", "gone")])).said

    assert caption_examples.ENGLISH["nothing_trained"] in said


def test_several_runs_are_shown_on_the_same_images(run: RunReport, sample: CaptionSample) -> None:
    other = replace(run, name="sgd", samples=(replace(sample, caption="the wall is red"),))

    (group,) = page.together([run, other])

    assert [(name, said.caption) for _, name, said in group.said] == [
        ("adam", "a blue wall"),
        ("sgd", "the wall is red"),
    ]


def test_korean_headings_say_as_much_as_english_ones(run: RunReport) -> None:
    text = page.render("벽", [run], language="ko")

    assert caption_examples.KOREAN.keys() == caption_examples.ENGLISH.keys()
    assert 'lang="ko"' in text
    assert caption_examples.KOREAN["worst"] in Page(text).said
    assert caption_examples.ENGLISH["worst"] not in Page(text).said


def test_an_image_that_is_gone_or_broken_is_named_in_its_place(
    run: RunReport, sample: CaptionSample, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"\xff\xd8\xff\xe0half")

    assert images.thumbnail(tmp_path / "gone.jpg") == images.thumbnail(broken) == images.Thumbnail()
    said = Page(page.render("walls", [replace(run, samples=(replace(sample, path=broken),))])).said
    assert "image cannot be read: broken.jpg" in said


def test_the_page_is_written_whole(run: RunReport, tmp_path: Path) -> None:
    page.write(tmp_path / "sub" / "report.html", "walls", [run])

    assert [path.name for path in (tmp_path / "sub").iterdir()] == ["report.html"]
    assert Page((tmp_path / "sub" / "report.html").read_text(encoding="utf-8")).open == []


@pytest.mark.parametrize(
    ("cells", "height", "width", "shape"),
    [
        pytest.param(49, 224, 224, (7, 7), id="square"),
        pytest.param(60, 192, 320, (6, 10), id="wide"),
        pytest.param(15, 96, 160, (3, 5), id="small"),
        pytest.param(53, 224, 224, None, id="no grid"),
    ],
)
def test_cells_form_the_grid_of_the_input(cells: int, height: int, width: int, shape: tuple[int, int] | None) -> None:
    assert attention.grid(cells, height, width) == shape


def test_a_sentence_shows_the_danger_that_it_names_first() -> None:
    terms = {"fire": ("fire",), "gun": ("gun", "fire arm")}
    scenes = [
        CaptionExample(Path(f"{number}.jpg"), (), "s", label)
        for number, label in enumerate(["fire", "gun", "none", ""])
    ]
    spoken = [["a", "fire"], ["a", "fire", "arm"], ["a", "room"], ["a", "gun"]]

    found = predictions.confusion(scenes, spoken, terms)

    assert found == Confusion(("fire", "gun", "none"), ("fire", "gun", ""), ((1, 0, 0), (0, 1, 0), (0, 0, 1)))
    assert predictions.confusion(scenes[3:], spoken[3:], terms) is None


def test_logs_are_read_in_the_order_of_training(tmp_path: Path) -> None:
    (tmp_path / "self-critical.csv").write_text("epoch,policy\n0,0.5\n")
    (tmp_path / "captioner.csv").write_text("epoch,loss,val_cider\n0,3.0,\n1,2.0,0.25\n")
    (tmp_path / "detector.csv").write_text("epoch,loss\n")

    found = training_log.read(tmp_path)

    assert [log.stage for log in found] == ["captioner", "self-critical"]
    assert found[0] == Log("captioner", (1, 2), {"loss": (3.0, 2.0), "val_cider": (None, 0.25)})


@pytest.mark.parametrize("text", ["epoch,loss\nfirst,2\n", "loss\n2\n", "epoch,loss\n0,much\n"])
def test_a_damaged_log_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "captioner.csv").write_text(text)

    with pytest.raises(CheckpointError, match=r"captioner\.csv: not a log of epochs"):
        training_log.read(tmp_path)
