"""Fixtures of the tests of updates."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from testing.file_server import FileServer
from tests.edge.update.publisher import Device, Site


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """Somebody who has published one model."""
    return Site(tmp_path / "site")


@pytest.fixture
def server(site: Site) -> Iterator[FileServer]:
    """The web server before it."""
    with FileServer(site.served) as running:
        yield running


@pytest.fixture
def device(site: Site, server: FileServer, tmp_path: Path) -> Device:
    """A device that runs version 1.0.0."""
    return Device(tmp_path / "device", server.url, site.repository.root)
