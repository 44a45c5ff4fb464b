"""Look: frames in, sentences into the outbox. This process never opens a connection to the MQTT server."""

import logging
import threading
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from edge import config
from edge.errors import CameraGone
from edge.infer import image
from edge.infer.captioner import Captioner
from edge.look import event, gate, scene
from edge.look.camera_port import Camera, Frame
from edge.look.event import Eye
from edge.outbox import process_report
from edge.outbox.outbox import Outbox, Seen
from edge.process.stage_timer import Latency

log = logging.getLogger(__name__)

REPORT_SECONDS: Final = 15.0
"""Time between two notes in the outbox: each is a write to the card."""


class Look:
    """One camera being watched."""

    def __init__(  # noqa: PLR0913  # the parts of the work, each made by the service
        self,
        camera: Camera,
        captioner: Captioner,
        outbox: Outbox,
        eye: Eye,
        settings: config.Gate,
        *,
        closer: config.Closer,
        started_at: float,
        clock: Callable[[], float] = time.perf_counter,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        new_id: Callable[[], str] = lambda: uuid.uuid4().hex,
    ) -> None:
        """`started_at` is the start of the process on `clock`, in seconds."""
        self._camera, self._captioner, self._outbox, self._eye = camera, captioner, outbox, eye
        self._settings, self._closer = settings, closer
        self._clock, self._now, self._new_id = clock, now, new_id
        self._latency = Latency(clock)
        self._memory: gate.Memory | None = None
        self._seen = Seen()
        self._started_at = started_at
        self._first_caption_seconds: float | None = None
        self._sentences = 0
        self._sentence_seconds = self._invoke_seconds = 0.0
        self._reported_at = clock()

    def run(self, stop: threading.Event) -> None:
        """Watch until the replay ends or `stop` is set; raises `CameraGone`, `DiskFull`, `TryAgain`."""
        reason = ""
        try:
            while not stop.is_set():
                with self._latency.of("wait"):
                    frame = self._camera.read()
                if frame is None:
                    break
                self.look_at(frame)
                if self._clock() - self._reported_at >= REPORT_SECONDS:
                    self._report()
        except CameraGone as error:
            reason = f"camera gone: {error}"
            raise
        finally:
            self._report(reason)

    def look_at(self, frame: Frame) -> gate.Reason:
        """Judge one frame, caption it where it is worth it, and give the gate's reason."""
        began, invoked = self._clock(), self._captioner.invoke_seconds
        self._seen = Seen(self._seen.frames + 1, self._seen.video_bytes + frame.video_bytes)
        with self._latency.of("gate"):
            size = self._captioner.manifest.input
            small = image.fit(frame.bgr, size.height, size.width)
            thumbnail = image.thumbnail(small, gate.HEIGHT, gate.WIDTH)
            verdict, memory = gate.judge(thumbnail, frame.at, self._memory, self._settings)
        if verdict.caption:
            self._caption(frame, image.rgb(small), verdict.reason, began, invoked)
        self._memory = memory
        return verdict.reason

    def _caption(self, frame: Frame, rgb: image.Picture, why: gate.Reason, began: float, invoked: float) -> None:
        seen = scene.describe(self._captioner, frame.bgr, rgb, self._closer, self._latency)
        self._sentences += 1
        self._sentence_seconds += self._clock() - began
        self._invoke_seconds += self._captioner.invoke_seconds - invoked
        with self._latency.of("store"):
            accepted = self._outbox.append(
                lambda seq: event.compose(
                    seen.sentence,
                    seen.detections,
                    self._eye,
                    captured_at=frame.captured_at,
                    now=self._now(),
                    seq=seq,
                    event_id=self._new_id(),
                ),
                self._seen,
            )
        self._seen = Seen()
        if self._first_caption_seconds is None:
            self._first_caption_seconds = round(self._clock() - self._started_at, 3)
            self._report()
        log.debug("caption", extra={"text": accepted.text, "why": why.value, "confidence": accepted.confidence})

    def _report(self, reason: str = "") -> None:
        """Count the frames that were not captioned, and say how the work goes."""
        self._reported_at = self._clock()
        self._outbox.count(self._seen)
        self._seen = Seen()
        per_sentence_ms = 1000 / self._sentences if self._sentences else None
        note = process_report.Report(
            model=self._eye.model,
            reason=reason[: process_report.MAX_REASON],
            stages=self._latency.stages(),
            first_caption_seconds=self._first_caption_seconds,
            sentence_ms=per_sentence_ms and round(self._sentence_seconds * per_sentence_ms, 3),
            invoke_ms=per_sentence_ms and round(self._invoke_seconds * per_sentence_ms, 3),
        )
        process_report.leave(self._outbox, process_report.LOOK, note)
