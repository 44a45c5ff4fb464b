"""The command line of a device: `wordcam-edge init | enroll | flash | caption | check | run | pull | look | ...`."""

import argparse
import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from contract import bundle, release
from contract.errors import Refused
from contract.update import Progress
from edge import check, config, service, starter
from edge.errors import MISCONFIGURED, TRY_AGAIN, Failure, Misconfigured, NotIsolated
from edge.evidence import options as evidence_options
from edge.flash import options as flash_options
from edge.image import options as image_options
from edge.last_good import state_folder
from edge.last_good.configuration import Chosen, LastConfiguration
from edge.outbox.recovery import open_outbox
from edge.process import isolation, summary, supervisor
from edge.system import options as system_options
from foundation import log, terminal, whole_file, yaml_file
from foundation.errors import from_os_error

PROGRAM: Final = "wordcam-edge"

LOCAL_CONFIG: Final = Path("edge.yaml")
"""What `init` writes, and what is read where it lies in the current folder."""

SYSTEM_CONFIG: Final = Path("/etc/wordcam/edge.yaml")
"""Where an installed device has it."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb; give the exit code: 0, 75 try again, 78 fix the configuration."""
    terminal.accept_every_character()
    arguments = _parser().parse_args(argv)
    log.configure(arguments.verb, level=logging.DEBUG if getattr(arguments, "verbose", False) else logging.INFO)
    try:
        code: int = arguments.run(arguments)
    except Failure as error:
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
    log.log_uncaught()
    sys.exit(main())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=PROGRAM, description="A camera that sends sentences instead of video.")
    release.add_option(parser)
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    _add_init(verbs)
    _add_enroll(verbs)
    _add_take_settings(verbs)
    _add_zones(verbs)
    flash_options.add(verbs)
    image_options.add(verbs)
    evidence_options.add(verbs, f"default: {LOCAL_CONFIG} in this folder, else {SYSTEM_CONFIG}")
    system_options.add(verbs)
    _add_update(verbs)
    _add_processes(verbs)
    caption = verbs.add_parser(
        "caption", help="describe pictures in a sentence each", description="describe pictures in a sentence each"
    )
    caption.add_argument("images", nargs="+", type=Path, metavar="IMAGE")
    change = "change a key of `crops` in edge.yaml: per_frame=0"
    caption.add_argument("--crops", action="append", default=[], metavar="KEY=VALUE", help=change)
    caption.add_argument("--closer", dest="crops", action="append", help=argparse.SUPPRESS)  # as 0.1.0 called it
    caption.set_defaults(run=_caption)
    bench = verbs.add_parser("bench", help="measure this device", description="measure this device")
    bench.add_argument("--frames", type=int, default=100, metavar="N", help="frames to caption (100)")
    bench.add_argument("--source", type=Path, metavar="PATH", help="a video or a folder of pictures")
    bench.set_defaults(run=_bench)
    for known in (caption, bench):
        known.add_argument("--bundle", type=Path, default=config.DEFAULT_BUNDLE, metavar="DIR", help="model bundle")
        known.add_argument("--threads", type=int, default=1, metavar="N", help="processor cores to use (1)")
        known.add_argument("--json", action="store_true", help="answer in JSON")
    return parser


def _add_processes(verbs: Any) -> None:  # argparse keeps the type of its subparsers private
    """Add the verbs that work by a configuration."""
    for verb, function, text in (
        ("run", _run, "watch and send: `look`, `send` and, for a network camera, `pull` as a process each"),
        ("pull", _pull, "hand the pictures of a network camera to `look`, through memory"),
        ("look", _look, "watch the camera and write captions into the outbox"),
        ("send", _send, "send the outbox to the MQTT server"),
        ("signal", _signal, "show on an LED and a buzzer of this device how it is, and whether a danger stands"),
        ("check", _check, "try the configuration and all it names: model, outbox, login and camera"),
        ("firewall", _firewall, "print the rules by which `pull` reaches its camera and nothing else"),
        ("forget-calm", _forget_calm, "forget what the camera has learnt of its own calm, and learn anew"),
    ):
        known = verbs.add_parser(verb, help=text, description=text)
        where = f"default: {LOCAL_CONFIG} in this folder, else {SYSTEM_CONFIG}"
        known.add_argument("--config", type=Path, metavar="FILE", help=where)
        known.add_argument("--verbose", action="store_true", help="log every caption")
        known.set_defaults(run=function)
        if verb in {"pull", "look", "firewall", "forget-calm"}:
            _add_stream(known)
        if verb in {"pull", "look"}:
            known.add_argument(
                "--frames", type=Path, metavar="DIR", help="folder in memory for a network camera's frames"
            )
        if verb == "firewall":
            known.add_argument("--nftables", action="store_true", help="rules for nft, instead of the unit's drop-in")
        if verb == "run":
            known.add_argument("--summary", type=Path, metavar="FILE", help="write a summary as JSON at the end")


def _add_stream(parser: argparse.ArgumentParser) -> None:
    text = "the camera's `stream`, where `cameras` has several"
    parser.add_argument("--stream", metavar="NAME", help=text)


def _add_zones(verbs: Any) -> None:  # argparse keeps the type of its subparsers private
    text = "draw zones and privacy masks on a picture, in a browser of this machine, and write them into edge.yaml"
    zones = verbs.add_parser("zones", help=text, description=text)
    still = "a picture of the camera; without it, one is taken, for which nothing else may use the camera"
    zones.add_argument("still", nargs="?", type=Path, metavar="PICTURE", help=still)
    where = f"default: {LOCAL_CONFIG} in this folder, else {SYSTEM_CONFIG}"
    zones.add_argument("--config", type=Path, metavar="FILE", help=where)
    zones.add_argument("--port", type=int, default=0, metavar="N", help="port on 127.0.0.1; default: any free one")
    zones.add_argument("--print", action="store_true", help="print what was drawn, and change no file")
    _add_stream(zones)
    zones.set_defaults(run=_zones)


def _zones(arguments: argparse.Namespace) -> int:
    from edge.zone_editor import drawing  # noqa: PLC0415  # it serves a page; no other verb does

    try:
        path: Path | None = _where(arguments)
    except Misconfigured:
        if arguments.still is None:
            raise
        path = None
    picture, target = drawing.begin(path, arguments.still, arguments.stream), None if arguments.print else path
    with drawing.served(picture, target, arguments.port, arguments.stream) as page:
        print(*drawing.invitation(page), sep="\n", file=sys.stderr, flush=True)
        if drawing.wait(page, _stop_on_signals()):
            print(*drawing.yaml_lines(page), sep="\n", flush=True)
    return 0


def _add_init(verbs: Any) -> None:  # argparse keeps the type of its subparsers private
    text = "write a commented edge.yaml that fits this machine, and say what comes next"
    init = verbs.add_parser("init", help=text, description=text)
    init.add_argument("--config", type=Path, default=LOCAL_CONFIG, metavar="FILE", help="default: %(default)s")
    init.add_argument("--site", default="site-1", metavar="NAME", help="where the device is (%(default)s)")
    init.add_argument("--device", metavar="NAME", help="its name there; default: the name of this host")
    sources = "/dev/video0, rtsp://..., picamera, or a film; default: the first camera that is found here"
    init.add_argument("--camera", metavar="CAMERA", help=sources)
    init.add_argument("--server", default="localhost", metavar="HOST", help="the MQTT server (%(default)s)")
    init.add_argument("--outbox", metavar="FILE", help="where captions wait; default: beside edge.yaml")
    init.add_argument("--force", action="store_true", help="replace a file that is there")
    init.set_defaults(run=_init)


def _init(arguments: argparse.Namespace) -> int:
    """Write the file whole or not at all."""
    from edge.look.camera import video_devices  # noqa: PLC0415  # `send` knows no camera

    path: Path = arguments.config
    if path.exists() and not arguments.force:
        raise Misconfigured(f"{path}: is there already; --force replaces it")
    camera = starter.named(arguments.camera) if arguments.camera else starter.found(video_devices.found())
    device = arguments.device or starter.device_name(socket.gethostname())
    text = starter.text(
        site=arguments.site, device=device, camera=camera, host=arguments.server, outbox=arguments.outbox
    )
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise from_os_error(error, str(path)) from error
    settings = config.load(path)
    print(*_next_steps(path, settings, camera), sep="\n")
    return 0


def _add_enroll(verbs: Any) -> None:  # as above
    text = "get this device's certificate by the file that `wordcam-broker enroll` wrote"
    enroll = verbs.add_parser("enroll", help=text, description=text)
    enroll.add_argument("invitation", type=Path, metavar="FILE", help="the invitation, such as north-gate_pi-01.enroll")
    enroll.add_argument("--config", type=Path, default=LOCAL_CONFIG, metavar="FILE", help="default: %(default)s")
    enroll.add_argument("--outbox", metavar="FILE", help="for a new edge.yaml; default: beside it")
    enroll.add_argument("--camera", metavar="CAMERA", help="for a new edge.yaml; as of `init`")
    enroll.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")
    enroll.set_defaults(run=_enroll)


def _enroll(arguments: argparse.Namespace) -> int:
    from edge import enrolment  # noqa: PLC0415  # cryptography is large, and no other verb needs it
    from edge.look.camera import video_devices  # noqa: PLC0415  # `send` knows no camera

    path: Path = arguments.config
    invitation = enrolment.read(arguments.invitation)
    known = config.load(path) if path.exists() else None
    camera = starter.named(arguments.camera) if arguments.camera else starter.found(video_devices.found())
    identity = f"{invitation.site}/{invitation.device}"
    made = "stays as it is" if known else f"is written, camera {camera.name}"
    print(f"{identity}: a key is made here and certified by {invitation.url}; {path} {made}", flush=True)
    if arguments.dry_run:
        return 0
    files = enrolment.enrol(invitation, path)
    if known is None:
        text = starter.text(
            site=invitation.site,
            device=invitation.device,
            camera=camera,
            host=invitation.mqtt_host,
            port=invitation.mqtt_port,
            models_url=files.models_url,
            outbox=arguments.outbox,
        )
        try:
            whole_file.write(path, text)
        except OSError as error:
            raise from_os_error(error, str(path)) from error
        print(*_next_steps(path, config.load(path), camera), sep="\n")
    elif wrong := list(enrolment.differences(known, invitation, files)):
        print(f"Certified. In {path}, write:", *(f"  {line}" for line in wrong), sep="\n")
    else:
        print(f"Certified, and {path} says so already.")
    return 0


def _add_update(verbs: Any) -> None:  # as above
    text = "take the model that the server offers, if it is signed for this device; `send` does so by itself"
    update = verbs.add_parser("update", help=text, description=text)
    update.add_argument("--config", type=Path, metavar="FILE", help=f"default: {LOCAL_CONFIG}, else {SYSTEM_CONFIG}")
    update.add_argument("--target", metavar="PACKAGE", help="in place of what is offered: standard/wordcam-1-2.5.0.tar")
    update.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")
    update.set_defaults(run=_update)


def _update(arguments: argparse.Namespace) -> int:
    settings = _load(arguments)
    where = settings.updates.url if settings.updates is not None else "nowhere: `updates` is missing"
    what = arguments.target or "what the server offers"
    print(f"{what}: is fetched from {where} into {service.update_folder(settings)}, and used if it is signed for")
    if arguments.dry_run:
        return 0
    done = service.update(settings, arguments.target)
    said = (done.progress.value, done.target, done.reason and done.reason.value, done.detail)
    print(*(part for part in said if part), sep=" · ")
    return TRY_AGAIN if done.progress is Progress.WAITING else MISCONFIGURED if done.reason else 0


def _add_take_settings(verbs: Any) -> None:  # as above
    text = "take what an owner put on the boot partition of wordcam's own image; its unit runs this"
    verbs.add_parser("take-settings", help=text, description=text).set_defaults(run=_take_settings)


def _take_settings(_: argparse.Namespace) -> int:
    from edge import take_settings  # noqa: PLC0415  # only an image has a boot partition of ours

    try:
        problems = take_settings.take(take_settings.Places(), take_settings.Device(), time.time())
    except OSError as error:
        raise from_os_error(error) from error
    print(*problems, sep="\n", file=sys.stderr, end="\n" if problems else "")
    return MISCONFIGURED if problems else 0


def _next_steps(path: Path, settings: config.Config, camera: starter.CameraChoice) -> Iterator[str]:
    yield f"{path}: written for {settings.site}/{settings.device}, camera {camera.name}, server {settings.mqtt.host}"
    if not camera.is_present:
        yield f"No camera was found here: plug one in, or set `camera` in {path}; a film will do, as `kind: replay`."
    if said := _terms(settings.bundle):
        yield f"Note: {said}"
    option = "" if path == LOCAL_CONFIG else f" --config {path}"
    yield "Next:"
    yield f"  {PROGRAM} caption picture.jpg   # one sentence about a picture; needs no camera and no server"
    yield f"  {PROGRAM} check{option}   # tries the model, the login and the camera"
    yield f"  {PROGRAM} run{option}   # watches and sends"


def _terms(folder: Path) -> str:
    """Say what the model in a folder may not be used for; "" where nothing forbids anything, or it cannot be read."""
    try:
        return check.terms(bundle.load(folder), folder)
    except Refused:
        return ""


def _load(arguments: argparse.Namespace) -> config.Config:
    return config.load(_where(arguments))


def _where(arguments: argparse.Namespace) -> Path:
    """Return the configuration to use; raises `Misconfigured` where none is named and none is found."""
    if arguments.config is not None:
        return Path(arguments.config)
    for path in (LOCAL_CONFIG, SYSTEM_CONFIG):
        if path.exists():
            return path
    raise Misconfigured(
        f"no {LOCAL_CONFIG} in this folder, and no {SYSTEM_CONFIG}; `{PROGRAM} init` writes one, --config names another"
    )


def _run(arguments: argparse.Namespace) -> int:
    path = _where(arguments)
    last, _ = _last_good(path, "run")
    chosen = last.choose()
    # For the outbox alone: whether the rest of it works, the two processes find out.
    last.keep(chosen.text)
    settings = chosen.settings
    isolation.require_user(as_root=settings.as_root)
    stop = _stop_on_signals()
    with open_outbox(settings.outbox.path, settings.outbox.max_captions, settings.outbox.max_bytes) as outbox:
        before = outbox.ledger()
        try:
            with _frames(settings) as frames:
                supervisor.run(path, outbox, stop, _watched(settings), frames=frames, verbose=arguments.verbose)
        finally:
            done = summary.of(outbox, before)
            print(*summary.lines(done), sep="\n", file=sys.stderr)
            if arguments.summary is not None:
                _write(arguments.summary, msgspec.json.format(msgspec.json.encode(done)))
    return 0


def _watched(settings: config.Config) -> list[supervisor.Watched]:
    return [
        supervisor.Watched(camera.stream, isinstance(camera, config.NetworkCamera)) for camera in settings.every_camera
    ]


@contextmanager
def _frames(settings: config.Config) -> Iterator[Path | None]:
    """Make the folder for network cameras' frames, and remove it at the end; None where there is no such camera."""
    if not any(camera.is_pulled for camera in _watched(settings)):
        yield None
        return
    from edge.look.camera import frames_folder  # noqa: PLC0415  # only a network camera needs it

    folder = frames_folder.prepare(frames_folder.usual(settings.outbox.path))
    frames_folder.remove_dead(folder, time.time())
    try:
        yield folder
    finally:
        frames_folder.remove(folder)


def _pull(arguments: argparse.Namespace) -> int:
    last, state = _last_good(_where(arguments), "pull", arguments.stream)
    stop = _stop_on_signals()
    _work(
        last, lambda chosen: service.pull(chosen, last, state, stop, frames=arguments.frames, stream=arguments.stream)
    )
    return 0


def _firewall(arguments: argparse.Namespace) -> int:
    from edge.pull import firewall  # noqa: PLC0415  # no other verb needs it

    camera = _load(arguments).of(arguments.stream).camera
    if not isinstance(camera, config.NetworkCamera):
        raise Misconfigured("the camera is not on the network: no process needs a firewall for it")
    print(firewall.nftables(camera) if arguments.nftables else firewall.systemd(camera))
    return 0


def _look(arguments: argparse.Namespace) -> int:
    started_at = service.process_start()
    last, state = _last_good(_where(arguments), "look", arguments.stream)
    stop = _stop_on_signals()
    frames, stream = arguments.frames, arguments.stream
    _work(
        last,
        lambda chosen: service.look(chosen, last, state, stop, started_at=started_at, frames=frames, stream=stream),
    )
    return 0


def _send(arguments: argparse.Namespace) -> int:
    path = _where(arguments)
    last, _ = _last_good(path, "send")
    stop = _stop_on_signals()
    _work(last, lambda chosen: service.send(chosen, last, path, stop))
    return 0


def _signal(arguments: argparse.Namespace) -> int:
    service.signal(_load(arguments), _stop_on_signals())
    return 0


def _last_good(path: Path, process: str, stream: str | None = None) -> tuple[LastConfiguration, Path]:
    """Return the configuration at a path with its last good copy, and where that is kept."""
    state = state_folder.of(path, process if stream is None else f"{process}-{stream}")
    return LastConfiguration(state, path, lambda: datetime.now(UTC)), state


def _work(last: LastConfiguration, work: Callable[[Chosen], None]) -> None:
    """Work by the configuration, or by the last good one where it cannot be read or nothing can be done by it."""
    chosen = last.choose()
    try:
        work(chosen)
    except Misconfigured as error:
        if chosen.fallback is not None or isinstance(error, NotIsolated):
            raise
        work(last.instead(error, of_text=chosen.text))


def _check(arguments: argparse.Namespace) -> int:
    """Try every part, and return the gravest exit code of those that failed."""
    path = _where(arguments)
    settings = config.load(path)
    print(f"configuration: {path}, {settings.site}/{settings.device}", flush=True)
    codes = [0]
    for finding in check.every_part(settings):
        if finding.error is None:
            print(f"{finding.part}: {finding.said}", flush=True)
        else:
            print(f"{PROGRAM} check: {finding.error}", file=sys.stderr, flush=True)
            codes.append(finding.error.exit_code)
    return max(codes)


def _forget_calm(arguments: argparse.Namespace) -> int:
    """Have the camera learn its calm anew, also while it is being watched."""
    from edge.look.memory import calm_file  # noqa: PLC0415  # `send` needs no memory

    settings = _load(arguments)
    camera = settings.of(arguments.stream).camera
    path = calm_file.path_beside(settings.outbox.path, camera.stream if settings.has_several else "")
    try:
        calm_file.forget(path, datetime.now(UTC))
    except OSError as error:
        remedy = "the folder must exist and this user must write in it"
        raise from_os_error(error, str(path), remedy=remedy) from error
    print(f"{camera.stream}: calm forgotten; the thresholds are those of the model again ({path})")
    return 0


def _caption(arguments: argparse.Namespace) -> int:
    """Caption each picture; one that cannot be read is named, and the others are captioned all the same."""
    from edge.look import still  # noqa: PLC0415  # only this verb needs models in this process

    crops = yaml_file.assigned("--crops", arguments.crops, config.Crops)
    captioner = service.open_captioner(arguments.bundle, arguments.threads)
    if said := check.terms(captioner.manifest, arguments.bundle):
        print(f"{PROGRAM} caption: {said}", file=sys.stderr, flush=True)
    code = 0
    for file in arguments.images:
        try:
            answer = still.describe(captioner, file, crops)
        except Misconfigured as error:
            print(f"{PROGRAM} caption: {error}", file=sys.stderr)
            code = MISCONFIGURED
            continue
        print(msgspec.json.encode(answer).decode() if arguments.json else still.line(answer), flush=True)
    return code


def _bench(arguments: argparse.Namespace) -> int:
    from edge.look import benchmark  # noqa: PLC0415  # only this verb needs it

    figures = benchmark.measure(
        arguments.bundle, threads=arguments.threads, frames=arguments.frames, source=arguments.source
    )
    print(msgspec.json.encode(figures).decode() if arguments.json else "\n".join(benchmark.lines(figures)))
    return 0


def _stop_on_signals() -> threading.Event:
    """Return an event that SIGTERM and SIGINT set."""
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
        raise from_os_error(error, f"--summary {path}") from error


if __name__ == "__main__":
    console()
