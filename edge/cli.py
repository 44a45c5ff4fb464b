"""The command line of a device: `wordcam-edge run | look | send | check | caption | bench`."""

import argparse
import logging
import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from edge import config, service, yaml_file
from edge.errors import MISCONFIGURED, EdgeError, Misconfigured, TryAgain
from edge.outbox.outbox import Outbox
from edge.process import log, summary, supervisor

PROGRAM: Final = "wordcam-edge"

DEFAULT_CONFIG: Final = Path("/etc/wordcam/edge.yaml")

DEFAULT_BUNDLE: Final = Path(__file__).resolve().parent.parent / "models" / "wordcam-1"
"""The bundle of a clone; an installed device names its own."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb; give the exit code: 0, 75 try again, 78 fix the configuration."""
    arguments = _parser().parse_args(argv)
    log.configure(arguments.verb, verbose=getattr(arguments, "verbose", False))
    try:
        code: int = arguments.run(arguments)
    except EdgeError as error:
        print(f"{PROGRAM} {arguments.verb}: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return 0
    except BrokenPipeError:
        # Whoever read our answer has closed the pipe (`| head`); keep Python from complaining when it flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return code


def console() -> None:
    """Entry point of the program."""
    sys.exit(main())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=PROGRAM, description="A camera that sends words instead of video.")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for verb, function, text in (
        ("run", _run, "watch and send: `look` and `send` as two processes"),
        ("look", _look, "watch the camera and write captions into the outbox"),
        ("send", _send, "send the outbox to the MQTT server"),
        ("check", _check, "see whether the configuration and all it names are right"),
    ):
        known = verbs.add_parser(verb, help=text, description=text)
        known.add_argument("--config", type=Path, default=DEFAULT_CONFIG, metavar="FILE", help=f"{DEFAULT_CONFIG}")
        known.add_argument("--verbose", action="store_true", help="log every caption")
        known.set_defaults(run=function)
        if verb == "run":
            known.add_argument("--summary", type=Path, metavar="FILE", help="write the summary as JSON at the end")
    caption = verbs.add_parser("caption", help="say what is on pictures", description="say what is on pictures")
    caption.add_argument("images", nargs="+", type=Path, metavar="IMAGE")
    caption.add_argument(
        "--closer",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="change a key of `closer` in edge.yaml: crops=0",
    )
    caption.set_defaults(run=_caption)
    bench = verbs.add_parser("bench", help="measure this device", description="measure this device")
    bench.add_argument("--frames", type=int, default=100, metavar="N", help="frames to caption (100)")
    bench.add_argument("--source", type=Path, metavar="PATH", help="a video or a folder of pictures")
    bench.set_defaults(run=_bench)
    for known in (caption, bench):
        known.add_argument("--bundle", type=Path, default=DEFAULT_BUNDLE, metavar="DIR", help="model bundle")
        known.add_argument("--threads", type=int, default=1, metavar="N", help="processor cores to use (1)")
        known.add_argument("--json", action="store_true", help="answer in JSON")
    return parser


def _run(arguments: argparse.Namespace) -> int:
    settings = config.load(arguments.config)
    stop = _stop_on_signals()
    with Outbox(settings.outbox.path, settings.outbox.max_captions) as outbox:
        before = outbox.ledger()
        try:
            supervisor.run(arguments.config, outbox, stop, verbose=arguments.verbose)
        finally:
            done = summary.of(outbox, before)
            print(*summary.lines(done), sep="\n", file=sys.stderr)
            if arguments.summary is not None:
                _write(arguments.summary, msgspec.json.format(msgspec.json.encode(done)))
    return 0


def _look(arguments: argparse.Namespace) -> int:
    started_at = service.process_start()
    service.look(config.load(arguments.config), _stop_on_signals(), started_at)
    return 0


def _send(arguments: argparse.Namespace) -> int:
    service.send(config.load(arguments.config), _stop_on_signals())
    return 0


def _check(arguments: argparse.Namespace) -> int:
    settings = config.load(arguments.config)
    print(f"configuration: {arguments.config}, {settings.site}/{settings.device}")
    print(*service.check(settings), sep="\n")
    return 0


def _caption(arguments: argparse.Namespace) -> int:
    """Caption each picture; one that cannot be read is named, and the others are captioned all the same."""
    from edge.look import still  # noqa: PLC0415  # only this verb needs models in this process

    closer = yaml_file.assigned("--closer", arguments.closer, config.Closer)
    captioner = service.open_captioner(arguments.bundle, arguments.threads)
    code = 0
    for file in arguments.images:
        try:
            said = still.describe(captioner, file, closer)
        except Misconfigured as error:
            print(f"{PROGRAM} caption: {error}", file=sys.stderr)
            code = MISCONFIGURED
            continue
        print(msgspec.json.encode(said).decode() if arguments.json else still.line(said), flush=True)
    return code


def _bench(arguments: argparse.Namespace) -> int:
    from edge.look import benchmark  # noqa: PLC0415  # only this verb needs it

    figures = benchmark.measure(
        arguments.bundle, threads=arguments.threads, frames=arguments.frames, source=arguments.source
    )
    print(msgspec.json.encode(figures).decode() if arguments.json else "\n".join(benchmark.lines(figures)))
    return 0


def _stop_on_signals() -> threading.Event:
    """Give an event that SIGTERM and SIGINT set."""
    stop = threading.Event()

    def ask(number: int, _frame: Any) -> None:
        logging.getLogger(__name__).info("stopping", extra={"signal": signal.Signals(number).name})
        # Not here: the main thread may be inside `stop.wait`, holding the lock that `set` takes.
        threading.Thread(target=stop.set).start()

    signal.signal(signal.SIGTERM, ask)
    signal.signal(signal.SIGINT, ask)
    return stop


def _write(path: Path, data: bytes) -> None:
    try:
        path.write_bytes(data + b"\n")
    except OSError as error:
        raise TryAgain(f"{path}: the summary cannot be written: {error.strerror}") from error


if __name__ == "__main__":
    console()
