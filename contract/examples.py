"""One message of each kind and one manifest, as the documentation shows them and the golden files keep them."""

from datetime import UTC, datetime
from typing import Final

import msgspec

from contract import bundle
from contract.ack import Ack, Refusal
from contract.caption import Box, Caption, Hazard, InZone, Label, Phase, Visit, source
from contract.status import (
    Calm,
    CameraCondition,
    CameraState,
    Clock,
    Condition,
    Fallback,
    Ledger,
    Part,
    Stage,
    State,
    Status,
    Threshold,
)
from contract.system import System, SystemProgress, SystemReason
from contract.thresholds import Raised, Thresholds
from contract.update import Offer, Progress, Reason, Update

SITE: Final = "north-gate"
DEVICE: Final = "pi-01"
MODEL: Final = "wordcam-1@1.0.0"

CAPTION: Final = Caption(
    text="a man holding a gun in a parking lot",
    captured_at=datetime(2026, 3, 1, 6, 30, 2, 125000, UTC),
    site=SITE,
    device=DEVICE,
    stream="cam-0",
    confidence=0.62,
    labels=(Label("person", 2, 0.91),),
    hazards=(Hazard("gun", 0.88),),
    model=MODEL,
    seq=4711,
    id="01JN8A2V6QZ0T7M4Y3K9XWB5CD",
    source=source(SITE, DEVICE, "cam-0"),
    time=datetime(2026, 3, 1, 6, 30, 2, 190000, UTC),
)

CAPTION_WITH_EVIDENCE: Final = msgspec.structs.replace(
    CAPTION,
    hazards=(
        Hazard("gun", 0.98, 0.88, datetime(2026, 3, 1, 6, 30, 0, 300000, UTC), Box(0.41, 0.2, 0.25, 0.25)),
        Hazard("weapon", 0.03, 0.31),
    ),
)
"""The same with what a device that remembers evidence adds."""

CAPTION_WITH_VISITS: Final = msgspec.structs.replace(
    CAPTION,
    text="a man stays at the north door",
    labels=(Label("person", 1, 0.91),),
    hazards=(),
    people=1,
    visits=(
        Visit("9f3c61d2", Phase.STAYS, 64, (InZone("north-door", 60),)),
        Visit("41b07e8a", Phase.LEAVES, 12),
    ),
)
"""The same of a device that follows people, and knows a zone."""

ONLINE: Final = Status(
    state=State.ONLINE,
    site=SITE,
    device=DEVICE,
    since=datetime(2026, 3, 1, 6, 0, tzinfo=UTC),
    at=datetime(2026, 3, 1, 6, 31, tzinfo=UTC),
    version="0.1.0",
    model=MODEL,
    ledger=Ledger(frames=55_800, captions=4_712, sent_bytes=3_401_064, video_bytes=465_000_000, waiting=1),
    stages=(Stage("encode", 48.2, 61.7), Stage("decode", 6.1, 9.4)),
)

IS_COVERED: Final = msgspec.structs.replace(
    ONLINE, conditions=(CameraCondition("cam-0", Condition.COVERED, datetime(2026, 3, 1, 6, 28, 40, tzinfo=UTC)),)
)
"""The same where something hides a camera's view."""

KNOWS_ITS_CALM: Final = msgspec.structs.replace(
    ONLINE,
    calm=Calm(
        since=datetime(2026, 2, 21, 8, 0, tzinfo=UTC),
        seconds=612_000,
        known=True,
        thresholds=(Threshold("gun", 0.4, 0.11), Threshold("fire", 0.2, 0.14)),
    ),
)
"""The same of a camera that has learnt its own calm."""

WORKS_WITH_THE_LAST_GOOD: Final = msgspec.structs.replace(
    ONLINE,
    fallbacks=(
        Fallback(Part.BUNDLE, "wordcam-1@1.1.0: self-test: a model fails", datetime(2026, 3, 1, 6, tzinfo=UTC)),
    ),
    clock=Clock.STEPPED_BACK,
)
"""The same of a device that does not use the bundle that is there, and whose clock was set back."""

HAS_SEVERAL_CAMERAS: Final = msgspec.structs.replace(
    ONLINE,
    reason="camera gone: cam-1: /dev/video2",
    cameras=(CameraState("cam-0", 8_100, 61), CameraState("cam-1", 0, 0, "camera gone: /dev/video2")),
)
"""The same of a device with two cameras."""

LAST_WILL: Final = Status(
    state=State.OFFLINE,
    site=SITE,
    device=DEVICE,
    since=datetime(2026, 3, 1, 6, 0, tzinfo=UTC),
    reason="connection lost",
)

ACK: Final = Ack(
    stored=("01JN8A2V6QZ0T7M4Y3K9XWB5CD", "01JN8A2W0H6R5E8S1P2N4F7GJK"),
    refused=(Refusal("01JN8A2W7C3D9B0V6X5Z8T1QMA", "schema"),),
)

THRESHOLDS: Final = Thresholds(
    site=SITE,
    device=DEVICE,
    at=datetime(2026, 3, 1, 7, 0, tzinfo=UTC),
    raised=(Raised("cam-0", "gun", 0.88, datetime(2026, 3, 15, 7, 0, tzinfo=UTC)),),
)

OFFER: Final = Offer(
    site=SITE,
    device=DEVICE,
    at=datetime(2026, 3, 1, 8, 0, tzinfo=UTC),
    target="standard/wordcam-1-1.1.0.tar",
)

ROLLED_BACK: Final = msgspec.structs.replace(
    ONLINE,
    update=Update(
        progress=Progress.ROLLED_BACK,
        target="standard/wordcam-1-1.1.0.tar",
        reason=Reason.CRASH,
        detail="look ended with exit code -11",
        at=datetime(2026, 3, 1, 8, 2, tzinfo=UTC),
    ),
)
"""The same after an update that did badly."""

NO_SERVER: Final = msgspec.structs.replace(
    ONLINE,
    system=System(
        version="0.2.0+202603010800.7c1f3a2b",
        progress=SystemProgress.ROLLED_BACK,
        offered="0.2.1+202604010800.91b20c44",
        reason=SystemReason.NO_SERVER,
        detail="after 2 starts",
        at=datetime(2026, 4, 1, 9, 2, tzinfo=UTC),
    ),
)
"""The same after an update of its system that did not reach the server."""


def _file(name: str, digit: str, size: int, quantization: str = "") -> bundle.File:
    return bundle.File(name, digit * 64, size, quantization)


MANIFEST: Final = bundle.Manifest(
    format=bundle.FORMAT,
    name="wordcam-1",
    version="1.0.0",
    created_at=datetime(2026, 2, 20, 12, 0, tzinfo=UTC),
    language="en",
    input=bundle.Input(height=224, width=224),
    files={
        "encoder": _file("encoder.tflite", "a", 4_100_000, "int8"),
        "detector": _file("detector.tflite", "b", 900_000, "int8"),
        "decoder_init": _file("decoder_init.tflite", "c", 800_000, "dynamic-range int8"),
        "decoder_step": _file("decoder_step.tflite", "d", 4_000_000, "dynamic-range int8"),
        "vocabulary": _file("vocabulary.txt", "e", 40_000),
        "phrases": _file("phrases.txt", "1", 90_000),
        "card": _file("CARD.md", "f", 6_000),
    },
    detection=bundle.Detection(classes=("person",)),
    hazards={"gun": ("gun", "pistol"), "fire": ("fire", "flames")},
    evidence={"gun": 0.4, "fire": 0.1},
    crop_evidence={"gun": 0.7},
    licences=(bundle.Licence("Flickr8k", "research and education, not commercial"),),
    metrics={"float": {"bleu_4": 0.2}, "int8": {"bleu_4": 0.199}},
)

LOWERS_ITS_THRESHOLD: Final = msgspec.structs.replace(MANIFEST, own_calm={"gun": bundle.OwnCalm(floor=0.2)})
"""The same with thresholds for a camera that knows its own calm."""
