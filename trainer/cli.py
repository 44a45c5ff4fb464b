"""The workstation's command line, `wordcam-train`: datasets in, a model and reports out."""

import argparse
import contextlib
import json
import logging
import os
import shlex
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from contract import release
from foundation import log, terminal
from foundation.errors import TRY_AGAIN, Failure, from_os_error
from trainer.errors import OperatorError, Stopped
from trainer.evaluation.report import cli as reports
from trainer.recipe import recipe as recipes
from trainer.recipe.data import FEW_IMAGES
from trainer.recipe.recipe import Recipe
from trainer.recipe.run_dir import RunDir

if TYPE_CHECKING:
    from trainer.data.prepare import Prepared

OK = 0

STAGES = ("captioner", "detector", "finetuning", "self-critical", "hazards", "phrases")

OLD_STAGES = {"tuning": "finetuning", "evidence": "hazards"}
"""Names that version 0.1.0 gave stages, accepted for one release."""


LANGUAGES = ("en", "ko")


def main(argv: Sequence[str]) -> int:
    """Run a verb and return its exit code: 0, 75 for what passes by itself, 78 for what the user must correct."""
    terminal.accept_every_character()
    arguments = _parser().parse_args(argv)
    log.configure(arguments.called, level=logging.WARNING)
    logging.getLogger("tensorflow").setLevel(logging.ERROR)  # its warnings are for programmers
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        if "alone" in arguments:
            alone: Callable[[argparse.Namespace], int] = arguments.alone
            return alone(arguments)
        recipe = recipes.load(arguments.recipe)
        run = RunDir(arguments.runs / recipe.name)
        run.folder.mkdir(parents=True, exist_ok=True)
        verb: Callable[[argparse.Namespace, Recipe, RunDir], int] = arguments.verb
        return verb(arguments, recipe, run)
    except Failure as error:
        return _failed(error)
    except OSError as error:
        return _failed(from_os_error(error))
    except Stopped as stopped:
        print(f"wordcam-train: stopped ({stopped}); run the same command to go on", file=sys.stderr)
        return TRY_AGAIN
    except KeyboardInterrupt:
        print("wordcam-train: stopped; run the same command to go on", file=sys.stderr)
        return 130


def console() -> None:
    """Run as the console script; SIGTERM ends it with the exit code of a failure that passes."""
    signal.signal(signal.SIGTERM, _stop)
    sys.exit(main(sys.argv[1:]))


def _failed(error: Failure) -> int:
    print(f"wordcam-train: {error}", file=sys.stderr)
    return error.exit_code


def _stop(*_: object) -> None:
    raise Stopped("SIGTERM")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="wordcam-train", description="Trains a model that describes images in sentences."
    )
    release.add_option(parser)
    verbs = parser.add_subparsers(required=True, metavar="VERB", dest="called")
    _add_init(verbs)
    _add_sample(verbs)
    _add_words(verbs)
    for name, verb, text in (
        ("prepare", _prepare, "check and count the data, build the vocabulary, cache the encoder's features"),
        ("train", _train, "train what the recipe asks for; a killed run goes on where it was"),
        ("evaluate", _evaluate, "score the trained models on the validation images"),
        ("export", _export, "write what wordcam-convert takes"),
        ("captions", _captions, "teach a bundle to write other captions by what its own encoder sees"),
    ):
        sub = verbs.add_parser(name, help=text, description=text)
        sub.set_defaults(verb=verb)
        _add_recipe(sub)
        if verb is _prepare:
            sub.add_argument("--check", action="store_true", help="check and count only, encode nothing")
            sub.add_argument(
                "--names", type=int, default=5, metavar="N", help="names of each fault (default: %(default)s)"
            )
            sub.add_argument("--json", action="store_true", help="one JSON object instead of tables")
        if verb is _train:
            stage = "only this stage; may be repeated"
            sub.add_argument("--stage", type=_stage, choices=STAGES, action="append", help=stage)
            shared = "share each batch: `mirrored` by this machine's GPUs, `workers` by the machines in TF_CONFIG"
            sub.add_argument("--distribute", choices=("none", "mirrored", "workers"), default="none", help=shared)
        if verb is _evaluate:
            sub.add_argument("--json", action="store_true", help="one JSON object instead of tables")
            meteor = "also METEOR, for English and where Java is; takes longer"
            sub.add_argument("--meteor", action="store_true", help=meteor)
        if verb in {_export, _captions}:
            sub.add_argument("--out", type=Path, required=True, help="folder to write")
        if verb is _captions:
            told = "bundle whose encoder is kept, and whose captioner training starts from"
            sub.add_argument("--bundle", type=Path, required=True, metavar="DIR", help=told)
    reports.add(verbs, _add_recipe)
    _add_hazards(verbs)
    return parser


def _stage(name: str) -> str:
    return OLD_STAGES.get(name, name)


def _add_recipe(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("recipe", type=Path, help="YAML file, see config/trainer.yaml")
    sub.add_argument("--runs", type=Path, default=Path("runs"), help="folder of all runs (default: %(default)s)")


def _add_init(verbs: Any) -> None:  # argparse keeps the type of its subparsers private
    text = "write a first recipe for a folder of images and captions (CSV, COCO, Flickr8k), and say what comes next"
    sub = verbs.add_parser("init", help=text, description=text)
    sub.set_defaults(alone=_init)
    sub.add_argument("folder", type=Path, metavar="FOLDER", help="the images and their captions")
    sub.add_argument("--out", type=Path, default=Path("recipe.yaml"), metavar="FILE", help="default: %(default)s")
    sub.add_argument("--name", default="mine", help="of the model (%(default)s)")
    sub.add_argument("--force", action="store_true", help="replace a file that is there")


def _add_sample(verbs: Any) -> None:  # argparse keeps the type of its subparsers private
    text = "render a small captioned and boxed image set to try a recipe on"
    sub = verbs.add_parser("sample", help=text, description=text)
    sub.set_defaults(alone=_sample)
    sub.add_argument("--out", type=Path, required=True, help="folder to write")
    sub.add_argument("--language", choices=LANGUAGES, default="en", help="of the captions (default: %(default)s)")


def _add_hazards(verbs: Any) -> None:
    text = "teach a bundle which pictures show a danger, by what its own encoder sees, and choose its thresholds"
    sub = verbs.add_parser("hazards", help=text, description=text)
    sub.set_defaults(alone=_hazards)
    sub.add_argument("recipe", type=Path, help="YAML file, see config/hazard-classifier.yaml")
    sub.add_argument("--bundle", type=Path, required=True, metavar="DIR", help="bundle that the classifier goes into")
    sub.add_argument("--runs", type=Path, default=Path("runs"), help="folder of all runs (default: %(default)s)")


def _add_words(verbs: Any) -> None:
    text = "show how many words each way of cutting makes of a file of captions, and how many of others it lacks"
    sub = verbs.add_parser("words", help=text, description=text)
    sub.set_defaults(alone=_words)
    sub.add_argument("captions", type=Path, help="captions to learn from, in any format that a recipe may name")
    sub.add_argument("--val", type=Path, metavar="FILE", help="captions held out (default: of every tenth image)")
    sub.add_argument("--language", choices=LANGUAGES, default="ko", help="of the captions (default: %(default)s)")
    sub.add_argument(
        "--min-count",
        type=int,
        default=recipes.Vocabulary().min_count,
        metavar="N",
        help="a learnt word occurs N times (%(default)s)",
    )
    sub.add_argument("--json", action="store_true", help="one JSON object instead of a table")


def _init(arguments: argparse.Namespace) -> int:
    from trainer.data import first_recipe  # noqa: PLC0415 - brings a JSON reader that no other verb needs here

    out: Path = arguments.out
    if out.exists() and not arguments.force:
        raise OperatorError(f"{out}: is there already; --force replaces it")
    found = first_recipe.find(arguments.folder, out.parent)
    text = first_recipe.text(found, out, arguments.name)
    out.write_text(text, encoding="utf-8")
    recipes.load(out)
    split = f"train {found.captions.train}, val {found.captions.val}"
    print(f"{out}: written for {found.images_count:,} images and {found.captions_count:,} captions; {split}")
    if found.val_is_made:
        print("One image in ten was held out for validation; where images of one scene are alike, split them by scene.")
    if found.images_count < FEW_IMAGES:
        print(f"Fewer than {FEW_IMAGES:,} images: fine-tuning the shipped model needs less data than training one from")
        print("scratch (`finetuning.start`; docs/workstation.md of the source).")
    print("Next:")
    for command in (f"prepare {out} --check", f"train {out}", f"evaluate {out}", f"export {out} --out exported"):
        print(f"  wordcam-train {command}")
    print("  wordcam-convert convert exported --out bundle")
    return OK


def _sample(arguments: argparse.Namespace) -> int:
    from trainer.data import synthetic  # noqa: PLC0415 - TensorFlow takes seconds to import

    synthetic.write(arguments.out, language=arguments.language)
    print(arguments.out)
    return OK


def _captions(arguments: argparse.Namespace, recipe: Recipe, run: RunDir) -> int:
    from trainer.captions import stage  # noqa: PLC0415 - TensorFlow takes seconds to import

    names = (
        shlex.quote(os.path.relpath(arguments.recipe)),
        shlex.quote(arguments.bundle.name),
        shlex.quote(str(arguments.out)),
    )
    command = "wordcam-train captions {} --bundle {} --out {}".format(*names)
    stage.run(recipe, arguments.bundle, run, arguments.out, command)
    print(f"{arguments.out}: next: wordcam-convert captioner {arguments.out} --bundle {arguments.bundle}")
    return OK


def _hazards(arguments: argparse.Namespace) -> int:
    from trainer.hazards import recipe, report, stage  # noqa: PLC0415

    found = stage.run(recipe.load(arguments.recipe), arguments.bundle, arguments.runs / "hazards", datetime.now(UTC))
    Console().print(*report.tables(found))
    return OK


def _words(arguments: argparse.Namespace) -> int:
    from trainer.data import vocabulary_report  # noqa: PLC0415

    train, val = vocabulary_report.read(arguments.captions, arguments.val)
    limits = recipes.Vocabulary(min_count=max(1, arguments.min_count))
    rows = vocabulary_report.compare(train, val, vocabulary_report.ways(arguments.language), limits)
    if arguments.json:
        print(json.dumps({row.unit: asdict(row) for row in rows}))
        return OK
    table = Table("cut by", "different words", "vocabulary", "words held out", "unknown", "share")
    for row in rows:
        counts = (f"{count:,}" for count in (row.distinct, row.vocabulary, row.tokens, row.unknown))
        table.add_row(row.unit, *counts, f"{row.unknown / max(1, row.tokens):.1%}")
    Console().print(table)
    return OK


def _prepare(arguments: argparse.Namespace, recipe: Recipe, run: RunDir) -> int:
    from trainer.data import prepare  # noqa: PLC0415
    from trainer.data.quality import summary  # noqa: PLC0415

    with summary.progress_bar() as progress:
        prepared = prepare.examine(recipe, run, thorough=True, progress=progress)
    if arguments.json:
        print(json.dumps(summary.document(prepared, progress)))
    else:
        summary.show(prepared, progress, arguments.names)
    prepare.refuse(prepared.findings)
    prepare.require_examples(recipe, prepared)
    prepare.keep_vocabulary(prepared, run)
    if not arguments.json:
        print(f"vocabulary: {len(prepared.vocabulary)} words -> {run.vocabulary}")
    if arguments.check:
        return OK
    from trainer.training.stages import captioner, detector  # noqa: PLC0415

    captioner.load_features(recipe, prepared, run)
    if prepared.boxes_train:
        detector.load_features(recipe, prepared, run)
    return OK


def _train(arguments: argparse.Namespace, recipe: Recipe, run: RunDir) -> int:
    from trainer import distribution  # noqa: PLC0415
    from trainer.data import prepare  # noqa: PLC0415
    from trainer.training import driver  # noqa: PLC0415
    from trainer.training.stage import Context  # noqa: PLC0415

    replicas = distribution.find(arguments.distribute)
    prepared = prepare.gather(recipe, run)
    _warn_of_few_images(recipe, prepared)
    replicas.chief_first(lambda: prepare.keep_vocabulary(prepared, run))
    with contextlib.redirect_stdout(sys.stderr), distribution.failing_together():  # Keras shows its progress on stdout
        driver.train(Context(recipe, prepared, run, replicas), arguments.stage or ())
    return OK


def _warn_of_few_images(recipe: Recipe, prepared: "Prepared") -> None:
    """Say that a captioner cannot be trained from scratch on a few images, and what to do instead."""
    from_scratch = recipe.finetuning is None or recipe.finetuning.start is None
    if from_scratch and recipe.encoder.weights and len(prepared.train) < FEW_IMAGES:
        print(
            f"wordcam-train: {len(prepared.train):,} training images are few: below some {FEW_IMAGES:,} a captioner "
            "trained from scratch rarely says what it sees. Fine-tune the shipped model instead: "
            "`finetuning: {start: FOLDER OF wordcam-1}`, docs/workstation.md",
            file=sys.stderr,
        )


def _evaluate(arguments: argparse.Namespace, recipe: Recipe, run: RunDir) -> int:
    from trainer.data import prepare  # noqa: PLC0415
    from trainer.evaluation import evaluate  # noqa: PLC0415

    prepared = prepare.gather(recipe, run)
    prepare.keep_vocabulary(prepared, run)
    captions = evaluate.captions(recipe, prepared, run, meteor=arguments.meteor)
    boxes = evaluate.boxes(recipe, prepared, run)
    if arguments.json:
        print(json.dumps({"captions": captions, "boxes": boxes}))
    else:
        _print_figures("captions", captions)
        _print_figures("boxes", boxes)
    return OK


def _export(arguments: argparse.Namespace, recipe: Recipe, run: RunDir) -> int:
    from trainer import export  # noqa: PLC0415
    from trainer.data import prepare  # noqa: PLC0415

    prepared = prepare.gather(recipe, run)
    prepare.keep_vocabulary(prepared, run)
    path = shlex.quote(os.path.relpath(arguments.recipe))
    out = shlex.quote(str(arguments.out))
    commands = [
        *(f"wordcam-train train {shlex.quote(os.path.relpath(start))}" for start in _starts(recipe)),
        f"wordcam-train train {path}",
        f"wordcam-train export {path} --out {out}",
        f"wordcam-convert convert {out} --out models/{recipe.name}",
    ]
    export.write(recipe, prepared, run, arguments.out, commands=commands)
    print(arguments.out)
    return OK


def _starts(recipe: Recipe) -> list[Path]:
    """Return the recipes of the runs that a run begins with, the first one first; a bundle is there already."""
    start = recipe.finetuning.start if recipe.finetuning is not None else None
    if start is None or not start.is_file():
        return []
    return [*_starts(recipes.load(start)), start]


def _print_figures(title: str, figures: dict[str, dict[str, float]]) -> None:
    if not figures:
        return
    table = Table(title, *figures)
    for figure in next(iter(figures.values())):
        table.add_row(figure, *(f"{values[figure]:.3f}" for values in figures.values()))
    Console().print(table)
