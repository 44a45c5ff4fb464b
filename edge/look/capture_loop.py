"""Look: frames in, sentences into the outbox. This process never opens a connection to the MQTT server."""

import logging
import math
import threading
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from contract.status import CameraCondition
from edge import config
from edge.errors import CameraGone
from edge.infer import image
from edge.infer.captioner import Captioner
from edge.look import event, gate, scene
from edge.look.camera_port import Camera, Frame
from edge.look.condition.measure import measure
from edge.look.condition.watch import ConditionWatch
from edge.look.event import Eye
from edge.look.memory.camera_memory import CameraMemory
from edge.look.memory.danger_memory import Attention, Change
from edge.look.memory.raised import RaisedThresholds
from edge.look.scene import Sight
from edge.outbox import process_report, raised_thresholds
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
        crops: config.Crops,
        memory: CameraMemory,
        started_at: float,
        clock: Callable[[], float] = time.perf_counter,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        new_id: Callable[[], str] = lambda: uuid.uuid4().hex,
    ) -> None:
        """`started_at` is the start of the process on `clock`, in seconds."""
        self._camera, self._captioner, self._outbox, self._eye = camera, captioner, outbox, eye
        self._settings, self._crops, self._memory = settings, crops, memory
        self._clock, self._now, self._new_id = clock, now, new_id
        self._latency = Latency(clock)
        self._gate: gate.Memory | None = None
        self._conditions = ConditionWatch()
        self._seen = Seen()
        self._started_at = started_at
        self._first_caption_seconds: float | None = None
        self._sentences = 0
        self._sentence_seconds = self._invoke_seconds = 0.0
        self._reported_at = clock()

    def run(self, stop: threading.Event) -> None:
        """Watch until the replay ends or `stop` is set; raises `CameraGone`, `DiskFull`, `TryAgain`."""
        reason = ""
        self._hear()
        try:
            while not stop.is_set():
                with self._latency.of("wait"):
                    frame = self._camera.read()
                if frame is None:
                    break
                self.look_at(frame)
                if self._clock() - self._reported_at >= REPORT_SECONDS:
                    self._report()
                    self._hear()
                    self._memory.keep(self._now(), self._clock())
        except CameraGone as error:
            reason = f"camera gone: {error}"
            raise
        finally:
            self._report(reason)
            self._memory.save()

    def look_at(self, frame: Frame) -> gate.Reason:
        """Judge one frame, weigh and caption it where it is worth it, and return the gate's reason."""
        began, invoked = self._clock(), self._captioner.invoke_seconds
        self._watch_conditions(frame)
        self._seen = Seen(self._seen.frames + 1, self._seen.video_bytes + frame.video_bytes)
        with self._latency.of("gate"):
            size = self._captioner.manifest.input
            small = image.fit(frame.bgr, size.height, size.width)
            thumbnail = image.thumbnail(small, gate.HEIGHT, gate.WIDTH)
            verdict, memory = gate.judge(thumbnail, frame.at, self._gate, self._settings, self._look_again_seconds())
        if verdict.look:
            sight = scene.look(self._captioner, frame.bgr, image.rgb(small), self._crops, self._latency)
            if self._conditions.hides_view:
                sight = scene.without_evidence(sight)
            change = self._memory.dangers.look(scene.readings(self._captioner, sight), frame.at, self._now())
            if change is not Change.NONE:
                ongoing = sorted(self._memory.dangers.ongoing)
                log.info("danger", extra={"change": change.value, "ongoing": ongoing})
                memory = memory.after_caption()
            if (verdict.caption and not self._conditions.hides_view) or change is not Change.NONE:
                self._caption(frame, sight, verdict.reason, began, invoked)
        self._gate = memory
        return verdict.reason

    def _watch_conditions(self, frame: Frame) -> None:
        """Find out whether the camera still shows its place, and report at once when that changes."""
        if not self._conditions.is_due(frame.at):
            return
        if self._conditions.look(measure(frame.bgr), frame.at, frame.captured_at):
            names = [name.value for name, _ in self._conditions.active]
            log.warning("camera conditions", extra={"stream": self._eye.stream, "conditions": names})
            self._report()

    def _look_again_seconds(self) -> float:
        """Return the time after which evidence is weighed again, whatever the gate thinks."""
        match self._memory.dangers.attention:
            case Attention.DOUBT:
                return self._settings.doubt_gap_seconds
            case Attention.ONGOING:
                return max(self._settings.doubt_gap_seconds, self._settings.min_gap_seconds)
            case Attention.CALM:
                return math.inf

    def _caption(self, frame: Frame, sight: Sight, why: gate.Reason, began: float, invoked: float) -> None:
        weighs = bool(self._captioner.manifest.evidence)
        dangers = self._memory.dangers
        seen = scene.tell(self._captioner, sight, self._latency, dangers.ongoing if weighs else None)
        believed = event.dangers(dangers.beliefs(), frame.captured_at, frame.at) if weighs else None
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
                    dangers=believed,
                ),
                self._seen,
            )
        self._seen = Seen()
        if self._first_caption_seconds is None:
            self._first_caption_seconds = round(self._clock() - self._started_at, 3)
            self._report()
        log.debug("caption", extra={"text": accepted.text, "reason": why.value, "confidence": accepted.confidence})

    def _hear(self) -> None:
        """Take over the thresholds that people have raised since."""
        self._memory.dangers.raised = RaisedThresholds.of(raised_thresholds.read(self._outbox), self._eye.stream)

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
            calm=self._memory.describe(self._now()),
            conditions=tuple(CameraCondition(self._eye.stream, name, since) for name, since in self._conditions.active),
        )
        process_report.leave(self._outbox, process_report.LOOK, note)
