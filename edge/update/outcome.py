"""What becomes of a model that was put in place: it proves itself, or the one before it is used again."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Protocol

import msgspec

from contract import update
from contract.update import Progress, Reason, Update

MAX_DETAIL: Final = 120
"""Characters of a detail that a status carries."""

PROBATION_SECONDS: Final = 600.0
"""After so long in use a model has proved itself."""

MIN_CAPTIONS: Final = 20
"""Captions from which their dangers are judged."""

MOST_CAPTIONS: Final = 1000
"""Captions of each model that are counted; beyond, older ones count less and less."""

WORST_SHARE: Final = 0.3
"""Share of a new model's captions that may speak of danger, whatever it was before."""

WORST_RATIO: Final = 5.0
"""How many times the share before it may be, with `LEAST_SHARE` added to that."""

LEAST_SHARE: Final = 0.02

MOST_ENDS: Final = 3
"""How often the process that looks may end while a new model proves itself, whatever ended it."""

CRASHED: Final = "process ended"
"""In the reason why a bundle is not used, where it is that the process that looks has ended with it again and again."""


class Installed(Protocol):
    """What is asked of the bundles in place."""

    def switch_back(self) -> None:
        """Use the bundle before this one again; raises `OSError`."""


@dataclass(frozen=True, slots=True)
class Running:
    """What the process that looks says."""

    model: str
    """In use, as captions name it; "" where nothing is said."""
    not_used: str = ""
    """Why it does not use the bundle that is in place; "" where it does."""
    not_used_since: datetime | None = None
    started: datetime | None = None
    """When this process began; None where that is not known."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is known of a model now that was not known before."""

    progress: Progress
    reason: Reason | None = None
    detail: str = ""


@dataclass
class Count:
    """Captions of one model."""

    captions: float = 0.0
    dangers: float = 0.0

    def add(self, *, danger: bool) -> None:
        """Count one."""
        if self.captions >= MOST_CAPTIONS:
            self.captions, self.dangers = self.captions / 2, self.dangers / 2
        self.captions += 1
        self.dangers += danger

    @property
    def share(self) -> float:
        """Share that speaks of danger, 0 to 1; 0 where there are too few to say."""
        return self.dangers / self.captions if self.captions >= MIN_CAPTIONS else 0.0


@dataclass
class Health:
    """How each model does, since this process began."""

    _counts: dict[str, Count] = field(default_factory=dict)
    _since: float | None = None
    """When the new model was first seen in use, in seconds of the clock of `judge`."""
    _starts: set[datetime] = field(default_factory=set)
    """Of the processes that have used the new model."""
    _target: str | None = None
    """The package that this is about: the next one may come before anybody has looked in between."""

    def count(self, model: str, *, danger: bool) -> None:
        """Count a caption."""
        self._counts.setdefault(model, Count()).add(danger=danger)

    def judge(self, progress: Update, running: Running, now: float) -> Verdict | None:
        """Return what is new of a model that is being tested; None where nothing is."""
        if progress.target != self._target:
            self._target, self._since = progress.target, None
            self._starts = set()
        if progress.progress is not Progress.TESTING or progress.target is None:
            self._since = None
            return None
        model = update.model_as_captions_name_it(progress.target)
        if _is_about(progress, running):
            return _not_used(running.not_used, was_in_use=self._since is not None)
        if running.model != model:
            return None
        if self._since is None:
            self._since = now
        if running.started is not None:
            self._starts.add(running.started)
        if len(self._starts) > MOST_ENDS:
            return Verdict(Progress.ROLLED_BACK, Reason.CRASH, f"{model}: the {CRASHED} {MOST_ENDS} times with it")
        if bad := self._bad_captions(model):
            return Verdict(Progress.ROLLED_BACK, Reason.CAPTIONS, bad)
        return Verdict(Progress.RUNNING) if now - self._since >= PROBATION_SECONDS else None

    def _bad_captions(self, model: str) -> str:
        new = self._counts.get(model, Count())
        before = max((one.share for name, one in self._counts.items() if name != model), default=0.0)
        if new.share <= max(WORST_SHARE, WORST_RATIO * (before + LEAST_SHARE)):
            return ""
        return f"{new.share:.0%} of {new.captions:.0f} captions speak of danger, {before:.0%} before"


def is_final(progress: Update) -> bool:
    """Return whether the same package need not be tried again."""
    if progress.progress in (Progress.RUNNING, Progress.ROLLED_BACK, Progress.TESTING):
        return True
    is_bad = progress.reason in update.HALTING or progress.reason is Reason.OLDER_MODEL
    return progress.progress is Progress.REFUSED and is_bad


def with_verdict(progress: Update, verdict: Verdict, *, at: datetime) -> Update:
    """Return the same update with what became of it."""
    return msgspec.structs.replace(
        progress, progress=verdict.progress, reason=verdict.reason, detail=detail(verdict.detail), at=at
    )


def detail(text: str) -> str:
    """Shorten a text to what a status carries, without signs that no line shows."""
    return "".join(sign if sign.isprintable() else " " for sign in text)[:MAX_DETAIL]


def _is_about(progress: Update, running: Running) -> bool:
    """Return whether what is not used is this package, and not one of before."""
    if not running.not_used or running.not_used_since is None or progress.at is None:
        return False
    return running.not_used_since >= progress.at


def _not_used(reason: str, *, was_in_use: bool) -> Verdict:
    if CRASHED in reason:
        return Verdict(Progress.ROLLED_BACK, Reason.CRASH, reason)
    return Verdict(Progress.ROLLED_BACK if was_in_use else Progress.REFUSED, Reason.SELF_TEST, reason)
