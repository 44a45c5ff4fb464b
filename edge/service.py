"""Service: builds each process of the device from its configuration. The only place that makes adapters.

Imports stand inside the functions, because the process that looks must not load the network, nor the one that sends
the camera: what a process has not loaded it cannot use.
"""

import logging
import os
import random
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from contract import release
from contract.bundle import Manifest
from contract.errors import Refused
from contract.status import Exposure
from edge import config
from edge.config import Config
from edge.errors import CameraGone, Misconfigured, TryAgain
from edge.last_good import state_folder
from edge.last_good.configuration import Chosen, LastConfiguration
from edge.outbox import exposure_note, process_report
from edge.outbox.outbox import Outbox
from edge.outbox.recovery import open_outbox
from edge.process import isolation, memory, sandbox
from edge.process.watchdog import Wait, Watchdog
from edge.update.installed import Installed
from foundation.errors import from_os_error

if TYPE_CHECKING:
    from contract.update import Update
    from edge.infer.captioner import Captioner
    from edge.infer.runtime import Acceleration
    from edge.look.budget import Budget
    from edge.look.bundle.loading import Loader, Opened
    from edge.look.camera.pace import Pace
    from edge.look.camera_port import BufferCamera, Camera
    from edge.look.event import Eye
    from edge.look.evidence import Evidence
    from edge.look.memory.camera_memory import CameraMemory
    from edge.look.visits.journal import Journal
    from edge.look.wall_clock import WallClock
    from edge.send.allowance import Allowance
    from edge.send.integration.port import Integration
    from edge.send.metrics_file import MetricsFile
    from edge.send.updates import Updates

log = logging.getLogger(__name__)


def pull(  # noqa: PLR0913  # what the process was started with
    chosen: Chosen,
    last: LastConfiguration,
    state: Path,
    stop: threading.Event,
    *,
    frames: Path | None,
    stream: str | None = None,
) -> None:
    """Hand the pictures of a network camera to `look`, by a file in the folder `frames`, until `stop`.

    `stream` names the camera where there are several. Raises `Failure`; `Misconfigured` where the camera is not on the
    network.
    """
    settings = chosen.settings.of(stream)
    camera = settings.camera
    if not isinstance(camera, config.NetworkCamera):
        raise Misconfigured(f"`camera.kind` is {camera.__struct_config__.tag}: only a network camera needs `pull`")
    isolation.require_user(as_root=settings.as_root)
    from edge.look.camera import frames_folder  # noqa: PLC0415  # see the module's docstring
    from edge.look.camera.frame_ring import FrameWriter  # noqa: PLC0415
    from edge.pull.puller import pull as hand_over  # noqa: PLC0415

    where = frames_folder.prepare(frames or frames_folder.usual(settings.outbox.path))
    if frames is None:
        frames_folder.remove_dead(where, time.time())
    isolation.close_pull(_made(where, state), urlsplit(camera.url).hostname or "")
    memory.give_back()
    writer = FrameWriter(frames_folder.frames_file(where, camera.stream))
    with _watched(settings) as watchdog:
        hand_over(
            lambda: _camera_to_pull(camera, watchdog.waiting(stop.wait), settings.cooling),
            writer,
            stop,
            on_work=lambda: last.keep(chosen.text),
            on_progress=watchdog.progress,
        )


def look(  # noqa: PLR0913  # what the process was started with
    chosen: Chosen,
    last: LastConfiguration,
    state: Path,
    stop: threading.Event,
    *,
    started_at: float,
    frames: Path | None = None,
    stream: str | None = None,
) -> None:
    """Watch the camera until `stop`, or the end of a replay; raises `Failure`.

    What has worked is kept in `state`. `started_at` is the start of the process on `time.perf_counter`; a network
    camera's pictures come from `pull`, by a file in `frames`; `stream` names the camera where there are several.
    """
    settings, several = chosen.settings.of(stream), chosen.settings.has_several
    name = process_report.name(settings.camera.stream, is_one_of_several=several)
    exposed = _close(settings, state)
    from edge.look.bundle.update import BundleUpdate  # noqa: PLC0415  # see the module's docstring
    from edge.look.capture_loop import Look  # noqa: PLC0415

    with _watched(settings) as watchdog, _outbox(settings) as outbox, _contract_kept(settings):
        exposure_note.leave(outbox, exposed)
        opened = _open_bundle(loader := _bundle_loader(settings, state))
        manifest = opened.contents.manifest
        with _reported(outbox, name, manifest.model):
            camera = _camera_to_look_at(settings, stop, frames, watchdog.waiting(stop.wait))
        update = BundleUpdate(loader, opened, stop.wait)
        update.start()
        with closing(camera), _budget(chosen.settings, settings.camera.stream) as budget:
            Look(
                camera,
                opened.captioner,
                outbox,
                _eye(settings, manifest),
                settings.gate,
                crops=settings.crops,
                remember=lambda manifest: _memory(settings, manifest, is_one_of_several=several),
                bundles=update,
                fallback=chosen.fallback,
                on_work=lambda: last.keep(chosen.text),
                on_progress=watchdog.progress,
                wall_clock=_wall_clock(outbox),
                started_at=started_at,
                journal=_journal(settings, manifest),
                budget=budget,
                evidence=_evidence(settings, state),
                name=name,
                can_be_disarmed=settings.mqtt.home_assistant is not None and settings.mqtt.home_assistant.arming,
            ).run(stop)


def _close(settings: Config, state: Path) -> tuple[Exposure, ...]:
    """Close the process that sees, with all made that it could make no more; return what stays exposed."""
    exposed = isolation.require_user(as_root=settings.as_root)
    folders = _made(settings.outbox.path.parent, state)
    bundle_of(settings)
    exposed += isolation.close_look(folders, allow_network=settings.allow_network)
    memory.give_back()
    _quiet_opencv()
    return exposed


@contextmanager
def _budget(settings: Config, stream: str) -> "Iterator[Budget | None]":
    """Share the processor with the device's other cameras, where that is wanted."""
    if settings.max_cores is None or not settings.has_several:
        yield None
        return
    from edge.look.budget import Budget, Slots  # noqa: PLC0415  # see the module's docstring

    number = [camera.stream for camera in settings.every_camera].index(stream)
    with closing(Slots(settings.outbox.path.with_suffix(".budget"), number)) as slots:
        yield Budget(settings.max_cores, slots, time.monotonic)


def _evidence(settings: Config, state: Path) -> "Evidence | None":
    """Return what keeps sealed pictures, where that is wanted; raises `Misconfigured` for a mistyped key."""
    wanted = settings.evidence
    if wanted is None:
        return None
    from edge.evidence.sealed_folder import FOLDER, SealedFolder  # noqa: PLC0415  # see the module's docstring
    from edge.evidence.sealing import Seal  # noqa: PLC0415
    from edge.look.evidence import Evidence  # noqa: PLC0415

    folder = SealedFolder(state / FOLDER, max_bytes=wanted.max_bytes, keep_hours=wanted.keep_hours)
    seal = Seal(wanted.public_key)
    with suppress(OSError):  # what cannot be made is named where it is used
        folder.begin()
    return Evidence(seal, folder)


def _eye(settings: Config, manifest: Manifest) -> "Eye":
    from edge.look.event import Eye  # noqa: PLC0415  # see the module's docstring

    return Eye(settings.site, settings.device, settings.camera.stream, manifest.model, manifest.language)


@contextmanager
def _contract_kept(settings: Config) -> Iterator[None]:
    """Blame the bundle where it writes what the contract refuses; raises `Misconfigured`."""
    try:
        yield
    except Refused as error:
        raise Misconfigured(f"{settings.bundle}: a caption breaks the contract: {error.detail}") from error


def _outbox(settings: Config) -> Outbox:
    return open_outbox(settings.outbox.path, settings.outbox.max_captions, settings.outbox.max_bytes)


@contextmanager
def _watched(settings: Config, on_progress: Callable[[], None] = lambda: None) -> Iterator[Watchdog]:
    """Have this process ended where it makes no progress."""
    live = (camera for camera in settings.every_camera if isinstance(camera, config.LiveCamera))
    patience = max((camera.timeout_seconds for camera in live), default=0.0)
    watchdog = Watchdog(settings.watchdog_seconds + patience, on_progress)
    watchdog.begin()
    try:
        yield watchdog
    finally:
        watchdog.end()


@contextmanager
def _reported(outbox: Outbox, name: str, model: str) -> Iterator[None]:
    """Report a camera that is gone, and raise on."""
    try:
        yield
    except CameraGone as error:
        process_report.leave(outbox, name, process_report.camera_gone(model, error))
        raise


def _bundle_loader(settings: Config, state: Path) -> "Loader":
    from edge.infer import image  # noqa: PLC0415  # see the module's docstring
    from edge.last_good.bundle_copy import BundleCopy  # noqa: PLC0415
    from edge.look.bundle import trial  # noqa: PLC0415
    from edge.look.bundle.loading import Loader  # noqa: PLC0415

    image.use_threads(settings.threads)
    by = acceleration(settings)
    attempt = partial(trial.run, acceleration=by)
    return Loader(bundle_of(settings), settings.threads, BundleCopy(state), attempt, lambda: datetime.now(UTC), by)


def acceleration(settings: Config) -> "Acceleration | None":
    """Return what runs models beside the processor, where that is configured."""
    from edge.infer.runtime import Acceleration  # noqa: PLC0415  # see the module's docstring

    wanted = settings.delegate
    return None if wanted is None else Acceleration(wanted.library, frozenset(wanted.models), wanted.options)


def _wall_clock(outbox: Outbox) -> "WallClock":
    from edge.look.wall_clock import WallClock  # noqa: PLC0415  # see the module's docstring

    now = datetime.now(UTC)
    before = process_report.read(outbox, process_report.LOOK).latest
    return WallClock(lambda: datetime.now(UTC), time.monotonic, max(now, before) if before else now)


def _memory(settings: Config, manifest: Manifest, *, is_one_of_several: bool) -> "CameraMemory":
    """Open what the camera remembers by a bundle's evidence."""
    from edge.look.memory.camera_memory import CameraMemory  # noqa: PLC0415  # see the module's docstring

    stream, now = settings.camera.stream, datetime.now(UTC)
    return CameraMemory.open(
        settings.outbox.path,
        manifest,
        stream,
        now=now,
        now_seconds=time.perf_counter(),
        is_one_of_several=is_one_of_several,
    )


def _journal(settings: Config, manifest: Manifest) -> "Journal | None":
    """Follow people, where that is wanted and the bundle finds them."""
    from edge.look.crops import PERSON  # noqa: PLC0415  # see the module's docstring
    from edge.look.visits.journal import Journal  # noqa: PLC0415

    follows = settings.visits.enabled and manifest.detection is not None and PERSON in manifest.detection.classes
    return Journal(settings.visits, settings.camera.zones, lambda: uuid.uuid4().hex[:12]) if follows else None


def send(chosen: Chosen, last: LastConfiguration, path: Path, stop: threading.Event) -> None:
    """Send captions until `stop`; raises `Failure`. `path` is that of `edge.yaml`."""
    settings = chosen.settings
    sandbox.write_no_dumps()
    from edge.send.publisher import Send  # noqa: PLC0415  # see the module's docstring
    from edge.send.service_manager import GOES_ON, READY, STOPS, ServiceManager  # noqa: PLC0415
    from edge.system import place  # noqa: PLC0415  # as above

    manager = ServiceManager()
    with _watched(settings, lambda: manager.say(GOES_ON)) as watchdog, _outbox(settings) as outbox:
        manager.say(READY)
        process_report.forget_all_but(outbox, [camera.stream for camera in settings.every_camera])
        metrics = _metrics_file(settings)

        def go_on() -> None:
            watchdog.progress()
            if metrics is not None:
                metrics.write_if_due(outbox, is_connected=sender.is_connected)

        sender = Send(
            outbox,
            settings.mqtt,
            site=settings.site,
            device=settings.device,
            version=release.VERSION,
            fallback=chosen.fallback,
            on_connect=lambda: last.keep(chosen.text),
            updates=_updates(settings, path, outbox),
            allowance=_allowance(settings, state_folder.of(path, "send")),
            on_progress=go_on,
            integrations=tuple(_integrations(settings, outbox)),
            system=lambda: place.described(place.Place()),
        )
        sender.run(stop)
        manager.say(STOPS)


def _metrics_file(settings: Config) -> "MetricsFile | None":
    """Return the file for node_exporter, where one is configured."""
    if settings.metrics_file is None:
        return None
    from edge.send.metrics_file import MetricsFile  # noqa: PLC0415  # see the module's docstring

    labels = {"site": settings.site, "device": settings.device}
    return MetricsFile(settings.metrics_file, labels, release.VERSION, time.monotonic)


def _allowance(settings: Config, state: Path) -> "Allowance":
    from edge.send.allowance import Allowance  # noqa: PLC0415  # see the module's docstring

    return Allowance(state, settings.mqtt.max_bytes_per_hour, time.monotonic, lambda: datetime.now(UTC))


def signal(settings: Config, stop: threading.Event) -> None:
    """Show on an LED and a buzzer how the device is, until `stop`; raises `Failure`."""
    sandbox.write_no_dumps()
    from edge.signal import loop  # noqa: PLC0415  # see the module's docstring
    from edge.signal.gpio import Pins  # noqa: PLC0415

    if settings.signal is None:
        raise Misconfigured("`signal` is missing in edge.yaml: name `led_pin`, `buzzer_pin` or both there")
    with _watched(settings) as watchdog, _outbox(settings) as outbox, Pins(settings.signal) as pins:
        loop.run(outbox, pins, stop, on_progress=watchdog.progress)


def _updates(settings: Config, path: Path, outbox: Outbox) -> "Updates | None":
    """Return what takes model updates, where they are configured."""
    if settings.updates is None:
        return None
    from edge.send.updates import Updates, start_update  # noqa: PLC0415  # see the module's docstring

    installed = Installed(update_folder(settings), settings.bundle)
    device_class = settings.updates.device_class
    return Updates(outbox, device_class, lambda: start_update(path), installed, chance=random.random)


def update(settings: Config, target: str | None) -> "Update":
    """Try once to take a package, the one that is offered unless named; raises `Failure`."""
    sandbox.write_no_dumps()
    from contract.update import Update  # noqa: PLC0415  # see the module's docstring
    from edge.outbox import model_update  # noqa: PLC0415
    from edge.update.step import Step  # noqa: PLC0415

    if settings.updates is None:
        raise Misconfigured("`updates` is missing in edge.yaml; `wordcam-edge enroll` writes it")
    with open_outbox(settings.outbox.path, settings.outbox.max_captions, settings.outbox.max_bytes) as outbox:
        offer = model_update.read_offer(outbox)
        wanted = target or (offer.target if offer is not None else None)
        if wanted is None:
            return Update(device_class=settings.updates.device_class)
        return Step(
            settings.updates,
            settings.mqtt.tls,
            Installed(update_folder(settings), settings.bundle),
            process_report.read(outbox, process_report.LOOK).model,
            lambda: datetime.now(UTC),
            lambda progress: model_update.leave_progress(outbox, progress),
        ).take(wanted)


def check_updates(settings: Config) -> str:
    """Read the signed lists of the repository as an update would, and say what is newest; raises `Failure`."""
    from edge.update.not_taken import NotTaken  # noqa: PLC0415  # see the module's docstring
    from edge.update.step import open_repository  # noqa: PLC0415

    if settings.updates is None:
        return "none"
    folder = update_folder(settings)
    try:
        open_repository(settings.updates, settings.mqtt.tls, folder).refresh()
    except NotTaken as error:
        raise TryAgain(f"updates: {settings.updates.url}: {error.reason.value}: {error.detail}") from error
    except OSError as error:
        raise from_os_error(error, str(folder)) from error
    return f"{settings.updates.url}, signed by keys that count; for devices of class {settings.updates.device_class}"


def update_folder(settings: Config) -> Path:
    """Return where bundles of updates are kept: as configured, or beside the outbox."""
    named = settings.updates.folder if settings.updates is not None else None
    return named or settings.outbox.path.parent / "models"


def bundle_of(settings: Config) -> Path:
    """Return the folder of the bundle to look with: with updates a link, which each update moves."""
    if settings.updates is None:
        return settings.bundle
    try:
        return Installed(update_folder(settings), settings.bundle).ensure()
    except OSError as error:
        raise from_os_error(error, str(update_folder(settings))) from error


def _integrations(settings: Config, outbox: Outbox) -> "Iterator[Integration]":
    """Make what the configuration asks for; raises `Misconfigured` where anyone could disarm the device."""
    from edge.outbox import arming, told  # noqa: PLC0415  # see the module's docstring
    from edge.send import mqtt  # noqa: PLC0415
    from edge.send.integration import home_assistant, ongoing, onvif  # noqa: PLC0415

    identity = {"site": settings.site, "device": settings.device}
    if settings.mqtt.home_assistant is not None:
        if settings.mqtt.home_assistant.arming:
            mqtt.require_login(settings.mqtt)
        yield home_assistant.HomeAssistant(
            settings.mqtt.home_assistant,
            **identity,
            version=release.VERSION,
            memory=told.read(outbox, "home-assistant", ongoing.Memory, {}),
            keep=partial(told.leave, outbox, "home-assistant"),
            arm=lambda armed: arming.leave(outbox, armed=armed),
        )
    if settings.mqtt.onvif is not None:
        yield onvif.Onvif(
            settings.mqtt.onvif,
            **identity,
            memory=told.read(outbox, "onvif", onvif.Memory, onvif.NOTHING),
            keep=partial(told.leave, outbox, "onvif"),
        )


def open_captioner(folder: Path, threads: int, by: "Acceleration | None" = None) -> "Captioner":
    """Load a bundle; raises `Misconfigured` naming what is wrong with it."""
    _quiet_opencv()
    from edge.infer import image, runtime  # noqa: PLC0415  # see the module's docstring
    from edge.infer.captioner import Captioner  # noqa: PLC0415

    image.use_threads(threads)
    try:
        return Captioner.open(folder, threads, acceleration=by)
    except Refused as error:
        raise Misconfigured(error.detail) from error
    except (runtime.NotAModel, runtime.NoRuntime) as error:
        raise Misconfigured(str(error)) from error


def _open_bundle(loader: "Loader") -> "Opened":
    """Open the bundle to look with; raises `Misconfigured`."""
    from edge.infer import runtime  # noqa: PLC0415  # see the module's docstring

    try:
        return loader.open()
    except (runtime.NotAModel, runtime.NoRuntime) as error:
        raise Misconfigured(str(error)) from error


def _camera_to_look_at(settings: Config, stop: threading.Event, frames: Path | None, wait: Wait) -> "Camera":
    """Open the camera, where it is no network camera, which `pull` opens; raises `CameraGone` or `Misconfigured`."""
    if not isinstance(settings.camera, config.NetworkCamera):
        return open_camera(settings.camera, wait, settings.cooling)
    from edge.look.camera import frames_folder  # noqa: PLC0415
    from edge.look.camera.frame_reader import FrameReader  # noqa: PLC0415
    from edge.look.camera.pulled import Pulled  # noqa: PLC0415  # see the module's docstring

    where = frames or frames_folder.usual(settings.outbox.path)
    return Pulled(settings.camera, FrameReader(frames_folder.frames_file(where, settings.camera.stream)), stop)


def open_camera(settings: config.AnyCamera, wait: Wait, cooling: config.Cooling | None = None) -> "Camera":
    """Open the camera of the configured kind, adjusted and masked; raises `CameraGone` or `Misconfigured`.

    `wait` is how it waits between two frames; without `cooling`, it is looked at at full rate.
    """
    _quiet_opencv()
    from edge.look.camera import adjusted  # noqa: PLC0415  # see the module's docstring

    return adjusted.Adjusted(_open_camera(settings, wait, cooling), settings)


def _camera_to_pull(settings: config.NetworkCamera, wait: Wait, cooling: config.Cooling) -> "BufferCamera":
    """Open a network camera; NumPy and OpenCV, 30 MiB, are loaded for what needs them alone."""
    if isinstance(settings, config.Rtsp) and settings.keeps_pixels:
        from edge.look.camera import rtsp  # noqa: PLC0415  # see the module's docstring

        return rtsp.open_camera(settings, _pace(settings, wait, cooling))
    return open_camera(settings, wait, cooling)


def _open_camera(settings: config.AnyCamera, wait: Wait, cooling: config.Cooling | None) -> "Camera":
    if isinstance(settings, config.Replay):
        from edge.look.camera import replay  # noqa: PLC0415

        return replay.open_camera(settings, wait)
    pace = _pace(settings, wait, cooling)
    if isinstance(settings, config.V4l2):
        from edge.look.camera import arrays, v4l2  # noqa: PLC0415

        return arrays.Arrays(v4l2.open_camera(settings, pace))
    if isinstance(settings, config.Rtsp):
        from edge.look.camera import arrays, rtsp  # noqa: PLC0415

        return arrays.Arrays(rtsp.open_camera(settings, pace))
    if isinstance(settings, config.Snapshot):
        from edge.look.camera import snapshot  # noqa: PLC0415

        return snapshot.open_camera(settings, pace)
    from edge.look.camera import picamera  # noqa: PLC0415  # picamera2 exists on a Raspberry Pi only

    return picamera.open_camera(settings, pace)


def _pace(settings: config.LiveCamera, wait: Wait, cooling: config.Cooling | None) -> "Pace":
    from edge.look.camera.cooling import Governor  # noqa: PLC0415  # see the module's docstring
    from edge.look.camera.pace import Pace  # noqa: PLC0415

    if cooling is None:
        return Pace(1 / settings.looks_per_second, wait)
    return Pace(1 / settings.looks_per_second, wait, stretch=Governor(cooling, settings.looks_per_second).stretch)


def _made(*folders: Path) -> tuple[Path, ...]:
    """Make folders where they are missing, as they can be made no more once this process is closed; return them."""
    for folder in folders:
        # What cannot be made is named where it is used.
        with suppress(OSError):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folders


def _quiet_opencv() -> None:
    """Have OpenCV not write to stderr: what matters of it comes back as an error with a name, as from PyAV."""
    os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")


def process_start() -> float:
    """Return the start of this process on `time.perf_counter`, in seconds."""
    # /proc/self/stat counts in ticks since boot from its 22nd field (proc(5)); the command in brackets may hold spaces.
    try:
        fields = Path("/proc/self/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        age = time.clock_gettime(time.CLOCK_BOOTTIME) - int(fields[19]) / os.sysconf("SC_CLK_TCK")
    except (OSError, AttributeError):
        age = 0.0
    return time.perf_counter() - age
