"""The workstation's command line: `wordcam-train sample | prepare | train | evaluate | export`."""

import argparse
import contextlib
import json
import logging
import os
import shlex
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from trainer import recipe as recipes
from trainer.errors import OperatorError, Stopped
from trainer.recipe import Recipe
from trainer.run import Run

OK, TRY_AGAIN, FIX_CONFIG = 0, 75, 78
"""Exit codes; the last two are sysexits.h's EX_TEMPFAIL and EX_CONFIG."""

STAGES = ("captioner", "detector", "tuning", "self-critical", "evidence")


def main(argv: Sequence[str]) -> int:
    """Run a verb; gives 0, 75 for a disk that is full, 78 for something the operator must mend."""
    arguments = _parser().parse_args(argv)
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(message)s")
    logging.getLogger("tensorflow").setLevel(logging.ERROR)  # its warnings are for programmers
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        if "recipe" not in arguments:
            return _sample(arguments)
        recipe = recipes.load(arguments.recipe)
        run = Run(arguments.runs / recipe.name)
        run.folder.mkdir(parents=True, exist_ok=True)
        verb: Callable[[argparse.Namespace, Recipe, Run], int] = arguments.verb
        return verb(arguments, recipe, run)
    except OperatorError as error:
        print(f"wordcam-train: {error}", file=sys.stderr)
        return FIX_CONFIG
    except OSError as error:
        print(f"wordcam-train: {error}; nothing that was saved is lost, run the same command again", file=sys.stderr)
        return TRY_AGAIN
    except Stopped as stopped:
        print(f"wordcam-train: stopped ({stopped}); run the same command to go on", file=sys.stderr)
        return TRY_AGAIN
    except KeyboardInterrupt:
        print("wordcam-train: stopped; run the same command to go on", file=sys.stderr)
        return 130


def console() -> None:
    """Be the console script; SIGTERM, by which hosts are taken away, ends it as a failure that passes."""
    signal.signal(signal.SIGTERM, _stop)
    sys.exit(main(sys.argv[1:]))


def _stop(*_: object) -> None:
    raise Stopped("SIGTERM")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="wordcam-train", description="Make a model that writes sentences.")
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    text = "render a small captioned and boxed picture set to try a recipe on"
    verbs.add_parser("sample", help=text, description=text).add_argument("--out", type=Path, required=True)
    for name, verb, text in (
        ("prepare", _prepare, "check and count the data, build the vocabulary, cache the encoder's features"),
        ("train", _train, "train what the recipe asks for; a killed run goes on where it was"),
        ("evaluate", _evaluate, "score the trained models on the validation pictures"),
        ("export", _export, "write what wordcam-convert takes"),
    ):
        sub = verbs.add_parser(name, help=text, description=text)
        sub.set_defaults(verb=verb)
        sub.add_argument("recipe", type=Path, help="YAML file, see config/trainer.yaml")
        sub.add_argument("--runs", type=Path, default=Path("runs"), help="folder of all runs (default: %(default)s)")
        if verb is _train:
            sub.add_argument("--stage", choices=STAGES, action="append", help="only this stage; may be repeated")
            shared = "share each batch: `mirrored` by this machine's GPUs, `workers` by the machines in TF_CONFIG"
            sub.add_argument("--distribute", choices=("none", "mirrored", "workers"), default="none", help=shared)
        if verb is _evaluate:
            sub.add_argument("--json", action="store_true", help="one JSON object instead of tables")
        if verb is _export:
            sub.add_argument("--out", type=Path, required=True, help="folder to write")
    return parser


def _sample(arguments: argparse.Namespace) -> int:
    from trainer import sample  # noqa: PLC0415 - TensorFlow takes seconds to import

    sample.write(arguments.out)
    print(arguments.out)
    return OK


def _prepare(_: argparse.Namespace, recipe: Recipe, run: Run) -> int:
    from trainer import captioning, detecting, prepare  # noqa: PLC0415

    prepared = prepare.gather(recipe)
    prepare.keep_vocabulary(prepared, run)
    _print_data(prepare.count(prepared))
    print(f"vocabulary: {len(prepared.vocabulary)} words -> {run.vocabulary}")
    captioning.corpora(recipe, prepared, run)
    if recipe.detector is not None:
        detecting.corpora(recipe, prepared, run)
    return OK


def _train(arguments: argparse.Namespace, recipe: Recipe, run: Run) -> int:
    from trainer import captioning, detecting, distribution, evidence, prepare, self_critical, tuning  # noqa: PLC0415

    spread = distribution.spread(arguments.distribute)
    prepared = prepare.gather(recipe)
    spread.chief_first(lambda: prepare.keep_vocabulary(prepared, run))
    stages = arguments.stage or STAGES
    with contextlib.redirect_stdout(sys.stderr), distribution.failing_together():  # Keras shows its progress on stdout
        if "captioner" in stages and not tuning.begun(recipe, run):
            captioning.train(recipe, prepared, run, spread)
        if spread.chief and "detector" in stages and recipe.detector is not None and not tuning.begun(recipe, run):
            detecting.train(recipe, recipe.detector, prepared, run)
        if spread.chief and "tuning" in stages and recipe.tuning is not None:
            tuning.train(recipe, recipe.tuning, prepared, run)
        if "self-critical" in stages and recipe.self_critical.epochs:
            self_critical.train(recipe, prepared, run, spread)
        if spread.chief and "evidence" in stages and recipe.evidence is not None and recipe.tuning is None:
            evidence.train(recipe, recipe.evidence, prepared, run)
        spread.wait()  # a worker that leaves early would look like one that is lost
    return OK


def _evaluate(arguments: argparse.Namespace, recipe: Recipe, run: Run) -> int:
    from trainer import evaluating, prepare  # noqa: PLC0415

    prepared = prepare.gather(recipe)
    prepare.keep_vocabulary(prepared, run)
    captions = evaluating.captions(recipe, prepared, run)
    boxes = evaluating.boxes(recipe, prepared, run)
    if arguments.json:
        print(json.dumps({"captions": captions, "boxes": boxes}))
    else:
        _print_figures("captions", captions)
        _print_figures("boxes", boxes)
    return OK


def _export(arguments: argparse.Namespace, recipe: Recipe, run: Run) -> int:
    from trainer import export, prepare  # noqa: PLC0415

    prepared = prepare.gather(recipe)
    prepare.keep_vocabulary(prepared, run)
    path = shlex.quote(os.path.relpath(arguments.recipe))
    out = shlex.quote(str(arguments.out))
    commands = [
        f"wordcam-train prepare {path}",
        f"wordcam-train train {path}",
        f"wordcam-train export {path} --out {out}",
        f"wordcam-convert convert {out} --out models/{recipe.name}",
    ]
    export.write(recipe, prepared, run, arguments.out, commands=commands)
    print(arguments.out)
    return OK


def _print_data(rows: Sequence[tuple[str, str, int, int]]) -> None:
    table = Table("set", "split", "pictures", "sentences or boxes")
    for name, split, pictures, items in rows:
        table.add_row(name, split, f"{pictures:,}", f"{items:,}")
    Console().print(table)


def _print_figures(title: str, figures: dict[str, dict[str, float]]) -> None:
    if not figures:
        return
    columns = list(next(iter(figures.values())))
    table = Table(title, *columns)
    for name, values in figures.items():
        table.add_row(name, *(f"{values[column]:.3f}" for column in columns))
    Console().print(table)
