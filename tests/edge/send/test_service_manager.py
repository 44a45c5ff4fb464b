"""What the service manager hears."""

import socket
from pathlib import Path

import pytest

from edge.send.service_manager import READY, ServiceManager


def listening(address: str) -> socket.socket:
    door = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    door.bind(address)
    door.settimeout(10)
    return door


def test_it_hears_by_a_path(tmp_path: Path) -> None:
    with listening(str(tmp_path / "notify")) as door:
        ServiceManager({"NOTIFY_SOCKET": str(tmp_path / "notify")}).say(READY)

        assert door.recv(100) == b"READY=1"


def test_it_hears_by_an_abstract_name(tmp_path: Path) -> None:
    with listening(f"\0wordcam-test{tmp_path}") as door:
        ServiceManager({"NOTIFY_SOCKET": f"@wordcam-test{tmp_path}"}).say(READY)

        assert door.recv(100) == b"READY=1"


def test_where_nobody_listens_the_work_goes_on(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for environment in ({}, {"NOTIFY_SOCKET": str(tmp_path / "none")}):
        manager = ServiceManager(environment)
        manager.say(READY)
        manager.say(READY)

    assert [record.message for record in caplog.records] == ["service manager unreachable"]
