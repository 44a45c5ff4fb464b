"""The layout: each package is a few rooms, and no room imports one that imports it in turn."""

from collections import defaultdict
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).resolve().parent.parent

PACKAGES = ("broker", "edge", "trainer", "converter")

MOST_ROOMS = 12
"""Folders and modules at the top of a package: what a reader takes in at a glance."""

MOST_FLOORS = 7
"""Rooms that a chain of imports may pass through from the top to the bottom of a package."""


def rooms_of(package: str) -> set[str]:
    """Name the folders and modules directly in a package; markers such as `py.typed` are none."""
    folder = ROOT / package
    return {
        path.stem
        for path in folder.iterdir()
        if path.name not in ("__init__.py", "__main__.py") and (path.suffix == ".py" or any(path.glob("**/*.py")))
    }


def imports_between_rooms(package: str) -> dict[str, set[str]]:
    """Say which rooms each room imports from, lazy imports inside functions included."""
    graph = grimp.build_graph(package, cache_dir=None)
    arrows: dict[str, set[str]] = defaultdict(set)
    for importer in graph.modules:
        for imported in graph.find_modules_directly_imported_by(importer):
            above, below = _room(importer), _room(imported)
            if above and below and above != below:
                arrows[above].add(below)
    return arrows


@pytest.mark.parametrize("package", PACKAGES)
def test_no_room_imports_one_that_imports_it(package: str) -> None:
    try:
        TopologicalSorter(imports_between_rooms(package)).prepare()
    except CycleError as error:
        pytest.fail(f"{package}: {' <- '.join(error.args[1])}")


def test_broker_has_few_rooms_on_few_floors() -> None:
    arrows = imports_between_rooms("broker")

    def floor(room: str) -> int:
        return 1 + max((floor(below) for below in arrows.get(room, ())), default=0)

    assert len(rooms_of("broker")) <= MOST_ROOMS
    assert max(map(floor, rooms_of("broker"))) <= MOST_FLOORS


def _room(module: str) -> str:
    """Name the room that a module stands in; "" for the package itself."""
    return module.partition(".")[2].partition(".")[0]
