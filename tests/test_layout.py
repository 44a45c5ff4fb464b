"""The layout of the alert service: few rooms, on few floors."""

import grimp

MOST_ROOMS = 12
"""Folders and modules at the top of the package: what a reader takes in at a glance."""

MOST_FLOORS = 7
"""Rooms that a chain of imports passes through from the command down to the configuration."""


def test_broker_has_few_rooms_on_few_floors() -> None:
    graph = grimp.build_graph("broker", cache_dir=None)
    rooms = {room for room in graph.find_children("broker") if room != "broker.__main__"}

    def floor(room: str) -> int:
        below = (
            other
            for other in rooms - {room}
            if graph.direct_import_exists(importer=room, imported=other, as_packages=True)
        )
        return 1 + max(map(floor, below), default=0)

    assert len(rooms) <= MOST_ROOMS
    assert max(map(floor, rooms)) <= MOST_FLOORS
