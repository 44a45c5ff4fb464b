"""Fixtures that tests of more than one package share."""

from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from testing.errors import NotInstalled
from testing.mosquitto import Mosquitto
from tests import house, tiny_bundle

REPOSITORY = Path(__file__).resolve().parent.parent

# Tests say what is right, not how fast: on a busy machine an example may take any time.
settings.register_profile("wordcam", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("wordcam")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, None, None]:
    """Skip a test whose fixtures need a server that is not on this machine."""
    try:
        return (yield)
    except NotInstalled as missing:
        pytest.skip(str(missing))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """Skip a test that starts a server which is not on this machine."""
    try:
        return (yield)
    except NotInstalled as missing:
        pytest.skip(str(missing))


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    """A running MQTT server that lets everyone in and forgets everything at its end."""
    with Mosquitto(tmp_path / "mosquitto") as server:
        yield server


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real pictures, clips and captions beside the repository; skips where it is absent."""
    folder = REPOSITORY.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"{folder} is not there: this test runs on real pictures that are not part of the repository")
    return folder


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole model bundle of a few KiB that speaks by the colour of the picture; see `tests.tiny_bundle`."""
    return tiny_bundle.build(tmp_path_factory.mktemp("bundle") / "tiny")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name long files, after a run of the rules of the house: length is advice (CONTRIBUTING.md), and fails nothing."""
    if any("test_house.py" in report.nodeid for report in terminalreporter.getreports("passed")):
        for line in house.long_files():
            terminalreporter.write_line(line)
