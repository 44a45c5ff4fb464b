"""The command line of the converter: `wordcam-convert convert | verify | evaluate | inspect | captioner | ...`."""

import argparse
import json
import logging
import shlex
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console, RenderableType

from contract import release
from contract.errors import Refused
from converter import config, report
from converter.evaluation import caption_metrics, coco, detection_metrics
from converter.evaluation.coco import Boxed, Captioned
from converter.tflite import inspect, saved_model_export
from edge.infer import self_test
from edge.infer.captioner import Captioner
from edge.infer.image import Unreadable
from edge.infer.runtime import NoRuntime, NotAModel
from edge.infer.self_test import SelfTestFailed
from foundation import log, terminal
from foundation.errors import Failure, Misconfigured, from_os_error

MISSED = 1
"""Exit code when a bundle misses a limit."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb and return its exit code: 0, 1 for a missed limit, 75 try again, 78 mend what was given."""
    terminal.accept_every_character()
    words = list(sys.argv[1:] if argv is None else argv)
    options = _parser().parse_args(words)
    log.configure(options.called, level=logging.WARNING)
    options.command = shlex.join(["wordcam-convert", *words])
    try:
        code: int = options.run(options)
    except Failure as error:
        return _failed(error)
    except (Refused, Unreadable, NotAModel, NoRuntime) as error:
        return _failed(Misconfigured(str(error)))
    except OSError as error:
        return _failed(from_os_error(error))
    except KeyboardInterrupt:
        return 130
    return code


def console() -> None:
    """Run as the installed command."""
    sys.exit(main())


def _failed(error: Failure) -> int:
    print(f"wordcam-convert: {error}", file=sys.stderr)
    return error.exit_code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="wordcam-convert", description="Converts, verifies, evaluates and inspects model bundles."
    )
    release.add_option(parser)
    verbs = parser.add_subparsers(required=True, metavar="VERB", dest="called")
    _add_convert(verbs)
    _add_verify(verbs)
    _add_evaluate(verbs)
    _add_inspect(verbs)
    _add_captioner(verbs)
    _add_self_test(verbs)
    return parser


def _add_convert(verbs: Any) -> None:  # argparse keeps the type of its subparsers private
    verb = _add(verbs, "convert", "quantize an export to a bundle, and write it if it keeps its limits")
    verb.add_argument("export", type=Path, metavar="EXPORT", help="folder that `wordcam-train export` wrote")
    verb.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of the bundle: models/NAME")
    _add_judging(verb)
    verb.set_defaults(run=_convert)


def _add_verify(verbs: Any) -> None:
    verb = _add(verbs, "verify", "compare a bundle with the export it was made from")
    verb.add_argument("bundle", type=Path, metavar="BUNDLE", help="folder of the bundle")
    verb.add_argument("export", type=Path, metavar="EXPORT", help="folder that `wordcam-train export` wrote")
    _add_judging(verb)
    verb.set_defaults(run=_verify)


def _add_judging(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--config", type=Path, metavar="FILE", help="settings and limits, as config/converter.yaml")
    verb.add_argument("--images", type=Path, metavar="DIR", help="calibrate on this folder, not on the export's list")
    verb.add_argument("--captions", type=Path, metavar="FILE", help="COCO captions to score on, pictures in images/")
    verb.add_argument("--detections", type=Path, metavar="FILE", help="COCO instances to score on, pictures in images/")
    _add_threads(verb)


def _add_evaluate(verbs: Any) -> None:
    verb = _add(verbs, "evaluate", "score a bundle on captions or boxes in COCO's formats")
    verb.add_argument("--bundle", type=Path, required=True, metavar="DIR", help="folder of the bundle")
    what = verb.add_mutually_exclusive_group(required=True)
    what.add_argument("--captions", type=Path, metavar="FILE", help="COCO captions")
    what.add_argument("--detections", type=Path, metavar="FILE", help="COCO instances")
    verb.add_argument("--images", type=Path, metavar="DIR", help="where the pictures are; images/ beside the file")
    verb.add_argument("--limit", type=_positive, metavar="N", help="look at the first N pictures only")
    verb.add_argument("--meteor", action="store_true", help="also METEOR, for English and where Java is; takes longer")
    _add_json(verb)
    _add_threads(verb)
    verb.set_defaults(run=_evaluate)


def _add_inspect(verbs: Any) -> None:
    verb = _add(verbs, "inspect", "show what is inside a bundle")
    verb.add_argument("bundle", type=Path, metavar="BUNDLE", help="folder of the bundle")
    _add_json(verb)
    verb.set_defaults(run=_inspect)


def _add_captioner(verbs: Any) -> None:
    verb = _add(verbs, "captioner", "put a captioner into the bundle that it was trained for, in place of its own")
    verb.add_argument("export", type=Path, metavar="EXPORT", help="folder that `wordcam-train captions` wrote")
    verb.add_argument("--bundle", type=Path, required=True, metavar="DIR", help="folder of the bundle")
    verb.add_argument("--config", type=Path, metavar="FILE", help="settings and limits, as config/converter.yaml")
    verb.add_argument("--beam-width", type=int, metavar="N", help="how many sentences it searches at once, 1 to 16")
    verb.set_defaults(run=_captioner)


def _add_self_test(verbs: Any) -> None:
    verb = _add(verbs, "self-test", "write into a bundle what it answers to drawn pictures, which devices compare")
    verb.add_argument("bundle", type=Path, metavar="BUNDLE", help="folder of the bundle")
    verb.add_argument("--check", action="store_true", help="write nothing, and end with 1 where it answers otherwise")
    verb.set_defaults(run=_self_test)


def _add(verbs: Any, name: str, text: str) -> argparse.ArgumentParser:
    verb: argparse.ArgumentParser = verbs.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
    return verb


def _add_json(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--json", action="store_true", help="one JSON object in place of tables")


def _add_threads(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--threads", type=_positive, default=1, metavar="N", help="threads of inference (%(default)s)")


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is less than 1")
    return number


def _convert(options: argparse.Namespace) -> int:
    settings, source = _settings(options), saved_model_export.load(options.export)
    captioned, boxed = _validation(options)
    from converter import convert  # noqa: PLC0415  # imports TensorFlow, which the other verbs do without

    request = convert.Request(options.images, captioned, boxed, options.threads, (options.command,))
    outcome = convert.convert(source, options.out, settings, request)
    Console().print(report.verdict(outcome.report, outcome.checks))
    if outcome.kept:
        print(f"written: {options.out}")
        return 0
    print(f"not written: {options.out} would miss its limits", file=sys.stderr)
    return MISSED


def _verify(options: argparse.Namespace) -> int:
    settings, source = _settings(options), saved_model_export.load(options.export)
    captioned, boxed = _validation(options)
    from converter import convert  # noqa: PLC0415  # imports TensorFlow, which the other verbs do without

    request = convert.Request(options.images, captioned, boxed, options.threads, (options.command,))
    outcome = convert.verify(options.bundle, source, settings, request)
    Console().print(report.verdict(outcome.report, outcome.checks))
    return 0 if outcome.kept else MISSED


def _settings(options: argparse.Namespace) -> config.Settings:
    return config.load(options.config) if options.config else config.Settings()


def _validation(options: argparse.Namespace) -> tuple[Sequence[Captioned], Boxed | None]:
    captioned = coco.captioned(options.captions) if options.captions else ()
    boxed = coco.boxed(options.detections) if options.detections else None
    return captioned, boxed


def _evaluate(options: argparse.Namespace) -> int:
    if options.captions:
        pictures = coco.captioned(options.captions, options.images)[: options.limit]
        captioner = Captioner.open(options.bundle, threads=options.threads)
        scores = caption_metrics.evaluate(captioner, pictures, meteor=options.meteor)
        _answer(options, scores, lambda: report.figures("Captions", scores))
    else:
        boxed = coco.boxed(options.detections, options.images)
        detector = detection_metrics.open_for_precision(options.bundle, options.threads)
        found = detection_metrics.evaluate(detector, boxed, limit=options.limit)
        _answer(options, found, lambda: report.boxes(found))
    return 0


def _captioner(options: argparse.Namespace) -> int:
    settings = _settings(options)
    from converter import captioner_update  # noqa: PLC0415  # imports TensorFlow, which the other verbs do without

    most = settings.limits.megabytes
    now = datetime.now(UTC)
    manifest = captioner_update.update(
        options.export, options.bundle, now, megabytes=most, target=settings.runtime, beam_width=options.beam_width
    )
    print(f"written: {options.bundle}, version {manifest.version}; score it with wordcam-convert evaluate")
    return 0


def _self_test(options: argparse.Namespace) -> int:
    try:
        if options.check:
            self_test.run(Captioner.open(options.bundle))
            print(f"{options.bundle}: answers as its manifest says")
            return 0
        found = self_test.write(options.bundle)
    except SelfTestFailed as error:
        print(f"{options.bundle}: fails its self-test: {error}", file=sys.stderr)
        return MISSED
    print(f"written: {options.bundle}, self-test of {found.model}")
    return 0


def _inspect(options: argparse.Namespace) -> int:
    found = inspect.read(options.bundle)
    _answer(options, msgspec.to_builtins(found), lambda: report.anatomy(found))
    return 0


def _answer(options: argparse.Namespace, answer: object, table: Callable[[], RenderableType]) -> None:
    if options.json:
        print(json.dumps(answer, ensure_ascii=False))
    else:
        Console().print(table())
