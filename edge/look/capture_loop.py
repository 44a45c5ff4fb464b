"""Look: frames in, sentences into the outbox. This process never opens a connection to the MQTT server."""

import logging
import math
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from contract.bundle import Manifest
from contract.status import CameraCondition, Fallback
from edge import config
from edge.errors import CameraGone, CameraUnreachable
from edge.infer import image
from edge.infer.captioner import Captioner, Sentence
from edge.infer.detection import Detection
from edge.look import event, gate, scene
from edge.look.arm_switch import ArmSwitch
from edge.look.budget import Budget
from edge.look.bundle.port import Bundles
from edge.look.camera_port import Camera, Frame
from edge.look.condition.measure import measure
from edge.look.condition.watch import ConditionWatch
from edge.look.event import Company, Eye
from edge.look.evidence import Evidence
from edge.look.memory.camera_memory import CameraMemory
from edge.look.memory.danger_memory import Attention, Change
from edge.look.memory.raised import RaisedThresholds
from edge.look.movement.moving_evidence import MovingEvidence
from edge.look.scene import Sight
from edge.look.visits import story
from edge.look.visits.journal import Journal
from edge.look.visits.story import Story, Worth
from edge.look.wall_clock import WallClock
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
        remember: Callable[[Manifest], CameraMemory],
        bundles: Bundles,
        fallback: Fallback | None,
        on_work: Callable[[], None],
        on_progress: Callable[[], None],
        wall_clock: WallClock,
        started_at: float,
        journal: Journal | None = None,
        budget: Budget | None = None,
        evidence: Evidence | None = None,
        name: str = process_report.LOOK,
        can_be_disarmed: bool = False,
        clock: Callable[[], float] = time.perf_counter,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        new_id: Callable[[], str] = lambda: uuid.uuid4().hex,
    ) -> None:
        """The process began at `started_at`, in seconds on `clock`; `journal` follows people, `evidence` keeps crops.

        The process reports under `name`. `remember` opens the memory of a bundle, `fallback` says why the configuration
        is the last good one, and `on_work` is called again and again once the work goes well, `on_progress` after each
        frame and each vain wait.
        """
        self._camera, self._captioner, self._outbox, self._eye = camera, captioner, outbox, eye
        self._settings, self._crops = settings, crops
        self._remember, self._bundles, self._fallback, self._on_work = remember, bundles, fallback, on_work
        self._wall_clock, self._on_progress = wall_clock, on_progress
        self._memory = remember(captioner.manifest)
        self._switch = ArmSwitch(outbox, is_used=can_be_disarmed)
        self._clock, self._now, self._new_id = clock, now, new_id
        self._journal, self._story = journal, Story()
        self._weighed_at = self._told_at = self._asked_at = -math.inf
        self._is_moving = False
        self._latency = Latency(clock)
        self._gate: gate.Memory | None = None
        self._conditions, self._moving = ConditionWatch(), MovingEvidence(captioner.manifest)
        self._seen, self._started_at = Seen(), started_at
        self._first_caption_seconds: float | None = None
        self._sentences = self._sentences_before = 0
        self._sentence_seconds = self._invoke_seconds = 0.0
        self._reported_at, self._began = clock(), now()
        self._budget, self._evidence, self._name, self._frames, self._trouble = budget, evidence, name, 0, ""

    def run(self, stop: threading.Event) -> None:
        """Watch until the replay ends or `stop` is set; raises `CameraGone`, `DiskFull`, `TryAgain`."""
        reason = ""
        self._hear()
        self._report()
        try:
            while not stop.is_set():
                self._on_progress()
                self._change_bundle()
                frame = self._next_frame()
                if frame is None:
                    break
                if isinstance(frame, Frame):
                    self.look_at(frame)
                if self._clock() - self._reported_at >= REPORT_SECONDS:
                    self._report()
                    self._hear()
                    self._memory.keep(self._now(), self._clock())
                    self._expire()
                    self._work()
            self._work()
        except CameraGone as error:
            reason = f"camera gone: {error}"
            raise
        finally:
            self._report(reason)
            self._memory.save()

    def _change_bundle(self) -> None:
        """Go on with another bundle, where one is ready; frames, counts and the gate go on as before."""
        opened = self._bundles.take(calm=self._memory.dangers.attention is Attention.CALM)
        if opened is None:
            return
        before, manifest = self._eye.model, opened.captioner.manifest
        self._memory.save()
        self._captioner = opened.captioner
        self._eye = replace(self._eye, model=manifest.model, language=manifest.language)
        self._memory = self._remember(manifest)
        self._moving = MovingEvidence(manifest)
        self._sentences_before = self._sentences
        self._hear()
        self._report()
        log.info("bundle changed", extra={"before": before, "model": manifest.model})

    def _work(self) -> None:
        """Keep what works, once a sentence was written with it."""
        if self._sentences > self._sentences_before:
            self._bundles.works()
            self._on_work()

    def _next_frame(self) -> Frame | CameraUnreachable | None:
        """Wait for a frame; report at once when a camera cannot be reached, and when it can be again."""
        try:
            with self._latency.of("wait"):
                frame = self._camera.read()
        except CameraUnreachable as error:
            reason = f"camera gone: {error}"
            if reason != self._trouble:
                log.warning("camera unreachable", extra={"reason": str(error)})
                self._trouble = reason
                self._report()
            return error
        if self._trouble:
            self._trouble = ""
            self._report()
        return frame

    def look_at(self, frame: Frame) -> gate.Reason:
        """Judge one frame, weigh and caption it where it is worth it, and return the gate's reason."""
        began, invoked = self._clock(), self._captioner.invoke_seconds
        self._watch_conditions(frame)
        self._frames += 1
        self._seen = Seen(self._seen.frames + 1, self._seen.video_bytes + frame.video_bytes)
        self._hear_switch()
        if not self._switch.is_armed:
            return gate.Reason.DISARMED
        with self._latency.of("gate"):
            size = self._captioner.manifest.input
            small = image.fit(frame.bgr, size.height, size.width)
            thumbnail = image.thumbnail(small, gate.HEIGHT, gate.WIDTH)
            verdict, memory = gate.judge(thumbnail, frame.at, self._gate, self._settings, self._look_again_seconds())
        if not self._conditions.hides_view:
            self._memory.see(small, frame.at)
        if self._moving.follows:
            with self._latency.of("flow"):
                self._moving.see(small, frame.bgr.shape, frame.at)
        self._is_moving = verdict.motion >= self._settings.motion_share
        if self._gate is not None and not self._may_look(verdict):
            self._gate = memory.before_look(self._gate)
            return gate.Reason.BUSY if verdict.look else verdict.reason
        spent = time.process_time()
        self._gate = self._examine(frame, image.rgb(small), verdict, began, invoked, memory) if verdict.look else memory
        if self._budget is not None:
            self._budget.spend(time.process_time() - spent)
        return verdict.reason

    def _may_look(self, verdict: gate.Verdict) -> bool:
        """Return whether this camera's share of the processor allows a look, where one is shared."""
        if self._budget is None:
            return True
        is_danger = self._memory.dangers.attention is not Attention.CALM
        return self._budget.may_look(wanted=verdict.look, is_danger=is_danger) or not verdict.look

    def _examine(  # noqa: PLR0913, PLR0917  # what is known of the frame so far
        self,
        frame: Frame,
        small: image.Picture,
        verdict: gate.Verdict,
        began: float,
        invoked: float,
        memory: gate.Memory,
    ) -> gate.Memory:
        """Weigh a frame or only follow people, caption it where it is worth it; return what the gate remembers."""
        sight, change = None, Change.NONE
        if self._is_to_be_weighed(verdict, frame.at):
            sight, change = self._weigh(frame, small)
        if self._journal is not None and not self._conditions.hides_view:
            found = sight.detections if sight is not None else self._find(frame, small)
            self._journal.look(found, frame.at)
        worth = self._worth(verdict, frame.at)
        if sight is None and worth is not Worth.NOTHING:
            sight, change = self._weigh(frame, small)
        if change is not Change.NONE:
            ongoing = sorted(self._memory.dangers.ongoing)
            log.info("danger", extra={"change": change.value, "ongoing": ongoing})
            self._report()
            worth = Worth.CAPTION
        if sight is None or worth is Worth.NOTHING:
            return memory
        is_fresh = change is not Change.NONE or verdict.reason in {gate.Reason.FIRST, gate.Reason.SCENE}
        is_told = self._caption(frame, sight, verdict.reason, began, invoked, is_fresh=is_fresh, worth=worth)
        if change is Change.BEGAN:
            self._keep_evidence(frame)
        return memory.after_caption() if is_told else memory

    def _is_to_be_weighed(self, verdict: gate.Verdict, at: float) -> bool:
        """Return whether evidence is to be weighed, as often as without anybody to follow."""
        if self._journal is None or verdict.caption:
            return True
        return at - self._weighed_at >= self._weigh_again_seconds() - gate.SLACK_SECONDS

    def _weigh(self, frame: Frame, small: image.Picture) -> tuple[Sight, Change]:
        self._weighed_at = frame.at
        sight = scene.look(self._captioner, frame.bgr, small, self._crops, self._latency)
        self._moving.meet(sight.detections, frame.bgr.shape, frame.at)
        sight = replace(sight, weighed=self._moving.weigh(sight.weighed))
        if self._conditions.hides_view:
            sight = scene.without_evidence(sight)
        readings = scene.readings(self._captioner, sight)
        return sight, self._memory.dangers.look(readings, frame.at, self._now())

    def _find(self, frame: Frame, small: image.Picture) -> tuple[Detection, ...]:
        """Find people in a frame that is not weighed."""
        found = scene.find(self._captioner, small, self._latency)
        self._moving.meet(found, frame.bgr.shape, frame.at)
        return found

    def _worth(self, verdict: gate.Verdict, at: float) -> Worth:
        """Return what a look is worth where no danger began or ended."""
        if self._conditions.hides_view:
            return Worth.NOTHING
        if self._journal is None:
            return Worth.CAPTION if verdict.caption else Worth.NOTHING
        return story.judge(
            verdict.reason,
            self._journal.news(at),
            is_danger_ongoing=bool(self._memory.dangers.ongoing),
            told_seconds=at - self._told_at,
            asked_seconds=at - self._asked_at,
            gate=self._settings,
            visits=self._journal.settings,
        )

    def _watch_conditions(self, frame: Frame) -> None:
        """Find out whether the camera still shows its place, and report at once when that changes."""
        if not self._conditions.is_due(frame.at):
            return
        found = measure(frame.bgr, is_guessed=frame.is_damaged)
        if self._conditions.look(found, frame.at, frame.captured_at):
            names = [name.value for name, _ in self._conditions.active]
            log.warning("camera conditions", extra={"stream": self._eye.stream, "conditions": names})
            self._report()

    def _look_again_seconds(self) -> float:
        """Return the time after which a frame is looked at again, whatever the gate thinks."""
        follow = None
        if self._journal is not None and not self._conditions.hides_view:
            follow = self._journal.look_again_seconds(moving=self._is_moving)
        return min(self._weigh_again_seconds(), math.inf if follow is None else follow)

    def _weigh_again_seconds(self) -> float:
        """Return the time after which evidence is weighed again, whatever the gate thinks."""
        match self._memory.dangers.attention:
            case Attention.DOUBT:
                return self._settings.doubt_gap_seconds
            case Attention.ONGOING:
                return max(self._settings.doubt_gap_seconds, self._settings.min_gap_seconds)
            case Attention.CALM:
                return math.inf

    def _caption(  # noqa: PLR0913  # what is known of the frame
        self,
        frame: Frame,
        sight: Sight,
        why: gate.Reason,
        began: float,
        invoked: float,
        *,
        is_fresh: bool,
        worth: Worth,
    ) -> bool:
        """Write a caption, and say so; none where it is worth one only if it says something else, and it does not."""
        weighs = bool(self._captioner.manifest.evidence)
        dangers, journal, before = self._memory.dangers, self._journal, self._story.said
        people = 0 if journal is None else journal.people
        seen = scene.tell(self._captioner, sight, self._latency, dangers.ongoing if weighs else None, people)
        self._asked_at = frame.at
        sentence, company = seen.sentence, None
        if journal is not None:
            is_fresh = is_fresh or not people or bool(dangers.ongoing)
            sentence = self._story.settle(sentence, people, is_fresh=is_fresh)
            if worth is Worth.SENTENCE and before is not None and sentence.text == before.text:
                return False
            company = Company(people, journal.describe(frame.at))
        self._sentences += 1
        self._sentence_seconds += self._clock() - began
        self._invoke_seconds += self._captioner.invoke_seconds - invoked
        self._store(frame, replace(seen, sentence=self._placed(sentence, company)), why, company)
        self._told_at = frame.at
        if journal is not None and company is not None:
            journal.tell(company.visits, frame.at)
        return True

    def _placed(self, sentence: Sentence, company: Company | None) -> Sentence:
        """Say in which zone people are, where no danger is to be said."""
        if company is None or self._journal is None or self._memory.dangers.ongoing:
            return sentence
        stay_seconds = min(self._journal.settings.stay_seconds, default=0)
        language = self._captioner.manifest.language
        text = story.with_zone(sentence.text, company.visits, company.people, language, stay_seconds)
        return sentence if text == sentence.text else replace(sentence, text=text)

    def _store(self, frame: Frame, seen: scene.Scene, why: gate.Reason, company: Company | None) -> None:
        dangers = self._memory.dangers
        weighs = bool(self._captioner.manifest.evidence)
        believed = event.dangers(dangers.beliefs(), frame.captured_at, frame.at) if weighs else None
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
                    company=company,
                ),
                self._seen,
            )
        self._seen = Seen()
        if self._first_caption_seconds is None:
            self._first_caption_seconds = round(self._clock() - self._started_at, 3)
            self._report()
        log.debug("caption", extra={"text": accepted.text, "reason": why.value, "confidence": accepted.confidence})

    def _keep_evidence(self, frame: Frame) -> None:
        """Keep a sealed picture of a danger that has just begun, where that is wanted; its caption is written first."""
        begun = self._memory.dangers.begun()
        if self._evidence is not None and begun is not None:
            with self._latency.of("evidence"):
                self._evidence.keep(frame.bgr, begun, frame.captured_at, self._eye)

    def _expire(self) -> None:
        if self._evidence is not None:
            self._evidence.expire(self._now())

    def _hear(self) -> None:
        """Take over the thresholds that people have raised since."""
        self._memory.dangers.raised = RaisedThresholds.of(raised_thresholds.read(self._outbox), self._eye.stream)

    def _hear_switch(self) -> None:
        """Find out whether people want this device to watch, and report at once when that changes."""
        if self._switch.has_changed():
            self._gate = None
            log.warning("armed" if self._switch.is_armed else "disarmed", extra={"stream": self._eye.stream})
            self._report()

    def _report(self, reason: str = "") -> None:
        """Count the frames that were not captioned, and say how the work goes."""
        self._reported_at = self._clock()
        self._outbox.count(self._seen)
        self._seen = Seen()
        per_sentence_ms = 1000 / self._sentences if self._sentences else None
        note = process_report.Report(
            model=self._eye.model,
            reason=(reason or self._trouble)[: process_report.MAX_REASON],
            stages=self._latency.stages(),
            first_caption_seconds=self._first_caption_seconds,
            sentence_ms=per_sentence_ms and round(self._sentence_seconds * per_sentence_ms, 3),
            invoke_ms=per_sentence_ms and round(self._invoke_seconds * per_sentence_ms, 3),
            calm=self._memory.describe(self._now()),
            conditions=tuple(CameraCondition(self._eye.stream, name, since) for name, since in self._conditions.active),
            clock=self._wall_clock.check(),
            latest=self._wall_clock.latest,
            started=self._began,
            frames=self._frames,
            captions=self._sentences,
            fallbacks=(*self._bundles.fallbacks, *(() if self._fallback is None else (self._fallback,))),
            dangers=tuple(sorted(self._memory.dangers.ongoing)),
            armed=self._switch.is_armed,
            keeps_evidence=self._evidence is not None,
        )
        process_report.leave(self._outbox, self._name, note)
