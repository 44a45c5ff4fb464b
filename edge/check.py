"""Tries all that a device's configuration names, one part after another, and says of each whether it works."""

import queue
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from contract import bundle, topics
from contract.errors import Refused
from edge import config, service
from edge.config import Config
from edge.errors import Failure, Misconfigured, TryAgain
from edge.outbox.outbox import Outbox

ANSWER_SECONDS: Final = 15.0
"""Wait for the server's answer to CONNECT and SUBSCRIBE."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What became of one part."""

    part: str
    said: str = ""
    """What is right with it."""
    error: Failure | None = None
    """What is wrong with it."""


def every_part(settings: Config) -> Iterator[Finding]:
    """Try model, outbox, MQTT server with login and subscription, camera, updates and evidence; in this order, each."""
    parts: dict[str, Callable[[Config], str]] = {
        "bundle": _bundle,
        "outbox": _outbox,
        "mqtt": _mqtt,
        "camera": _cameras,
        **({} if settings.updates is None else {"updates": _updates}),
        **({} if settings.evidence is None else {"evidence": _evidence}),
    }
    for part, attempt in parts.items():
        try:
            yield Finding(part, attempt(settings))
        except Failure as error:
            yield Finding(part, error=error)


def terms(manifest: bundle.Manifest, folder: Path) -> str:
    """Say what a model may not be used for; "" where none of its terms forbids commercial use."""
    if not manifest.is_research_only:
        return ""
    card = folder / manifest.files["card"].name
    return f"the model {manifest.model} is for research and education only, not for commercial use: see {card}"


def _bundle(settings: Config) -> str:
    """Check every digest, and that the interpreter here takes the files; raises `Misconfigured`."""
    try:
        manifest = bundle.load(settings.bundle)
    except Refused as error:
        raise Misconfigured(error.detail) from error
    captioner = service.open_captioner(settings.bundle, settings.threads, service.acceleration(settings))
    said = f"{manifest.model}, {len(manifest.files)} files, every digest right, loads here"
    if settings.delegate is not None:
        by = ", ".join(captioner.accelerated) or "NOTHING; the processor runs all, see above"
        said += f"\n{settings.delegate.library} runs: {by}"
    return f"{said}\nterms: {terms(manifest, settings.bundle)}" if manifest.is_research_only else said


def _updates(settings: Config) -> str:
    """Fetch the signed lists of the repository and believe them, or say why not; raises `Failure`."""
    return service.check_updates(settings)


def _evidence(settings: Config) -> str:
    """Say how long sealed pictures are kept; raises `Misconfigured` for a mistyped key."""
    from edge.evidence.sealing import Seal  # noqa: PLC0415  # only where it is wanted

    wanted = settings.evidence
    assert wanted is not None  # noqa: S101  # every_part tries it only where it is set
    Seal(wanted.public_key)
    room = f"{wanted.max_bytes >> 20} MiB for each camera"
    return f"ON: a picture of each alarm is kept here, sealed for {wanted.public_key}, {wanted.keep_hours:g} h, {room}"


def _outbox(settings: Config) -> str:
    with Outbox(settings.outbox.path, settings.outbox.max_captions, settings.outbox.max_bytes) as outbox:
        return f"{outbox.path}, {outbox.ledger().waiting} captions waiting"


def _mqtt(settings: Config) -> str:
    """Look the host up, log in and subscribe as the device does, under another client id; raises `Failure`."""
    from edge.send.mqtt import Connection, Down, Up, port_of  # noqa: PLC0415  # `look` must not load the network

    mqtt = settings.mqtt
    where = f"{mqtt.host}:{port_of(mqtt)}"
    connection = Connection(
        mqtt,
        client_id="",
        subscription=topics.topic(settings.site, settings.device, "ack"),
        will=None,
        window=1,
    )
    try:
        found = socket.getaddrinfo(mqtt.host, port_of(mqtt), type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or error
        raise TryAgain(
            f"{mqtt.host}: no address is known for this name ({why}); see `mqtt.host` and the DNS"
        ) from error
    try:
        connection.open()
    except TryAgain as error:
        raise TryAgain(f"{error}; does an MQTT 5 server run there? `mqtt.host` and `mqtt.port` say where") from error
    try:
        event = connection.events.get(timeout=ANSWER_SECONDS)
    except queue.Empty:
        raise TryAgain(f"{where}: no answer within {ANSWER_SECONDS:g} s; is it an MQTT 5 server?") from None
    finally:
        connection.close()
    if isinstance(event, Down):
        raise TryAgain(f"{where}: {event.why}")
    assert isinstance(event, Up)  # noqa: S101  # nothing else comes before a subscription stands
    return f"{where} ({found[0][4][0]}), login accepted, {_protection(mqtt)}"


def _protection(mqtt: config.Mqtt) -> str:
    if mqtt.tls is None:
        return "NOT encrypted: captions and password can be read on the way"
    return "encrypted" + (", with this device's certificate" if mqtt.tls.cert_file else "")


def _cameras(settings: Config) -> str:
    """Try every camera; raises the `Failure` of the first one that does not work, after all were tried."""
    said, failures = [], []
    for camera in settings.every_camera:
        try:
            said.append(_camera(camera))
        except Failure as error:
            failures.append(error)
    if failures:
        raise failures[0]
    return ", ".join(said)


def _camera(settings: config.AnyCamera) -> str:
    """Open a camera and take a frame; raises `Failure`."""
    camera = service.open_camera(settings, threading.Event().wait)
    try:
        frame = camera.read()
    finally:
        camera.close()
    if frame is None:
        raise Misconfigured("the replay holds no frame; set `camera.path`")
    height, width = frame.bgr.shape[:2]
    return f"{settings.stream} sends {width} x {height} pixels"
