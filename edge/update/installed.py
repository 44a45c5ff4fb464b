"""The bundles that came by updates: a folder for each, and `current`, the one that the process that looks should use.

`current` and `previous` are links, changed in one step each: whoever opens `current` finds one whole bundle or another.
"""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

CURRENT, PREVIOUS, BUNDLES, DRAFT = "current", "previous", "bundles", "draft"

FOLDER_MODE: Final = 0o750


@dataclass(frozen=True, slots=True)
class Installed:
    """The bundles below a folder; `first` is the one that the device was installed with."""

    folder: Path
    first: Path

    @property
    def current(self) -> Path:
        """The link to the bundle to use; before the first update it may not be there."""
        return self.folder / CURRENT

    def begin(self) -> Path:
        """Make an empty folder for the files of a package; raises `OSError`."""
        draft = self.folder / DRAFT
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True, mode=FOLDER_MODE)
        return draft

    def switch(self, draft: Path, model: str) -> None:
        """Put a whole bundle in place: from now on `current` is this one; raises `OSError`.

        The one that was in use stays, to be returned to; others go.
        """
        place = self.folder / BUNDLES / model.replace("@", "-")
        place.parent.mkdir(exist_ok=True, mode=FOLDER_MODE)
        _sync_files(draft)
        before = self._target(CURRENT)
        if place == before:
            shutil.rmtree(draft)
            return
        shutil.rmtree(place, ignore_errors=True)
        draft.replace(place)
        self._link(PREVIOUS, before)
        self._link(CURRENT, place)
        for other in place.parent.iterdir():
            if other not in (place, before):
                shutil.rmtree(other, ignore_errors=True)

    def switch_back(self) -> None:
        """Use the bundle before this one again; raises `OSError`."""
        self._link(CURRENT, self._target(PREVIOUS))

    def ensure(self) -> Path:
        """Return the link to use, made where it is missing or leads nowhere; raises `OSError`."""
        if not self.current.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            self._link(CURRENT, self.first)
        return self.current

    def _target(self, name: str) -> Path:
        link = self.folder / name
        return link.readlink() if link.is_symlink() and link.exists() else self.first.resolve()

    def _link(self, name: str, to: Path) -> None:
        draft = self.folder / f".{name}.{os.getpid()}"
        draft.unlink(missing_ok=True)
        draft.symlink_to(to.resolve())
        draft.replace(self.folder / name)
        _sync(self.folder)


def _sync_files(folder: Path) -> None:
    for path in folder.iterdir():
        _sync(path)
    _sync(folder)


def _sync(path: Path) -> None:
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
