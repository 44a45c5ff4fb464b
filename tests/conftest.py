"""Fixtures that tests of more than one package share."""

import fcntl
import logging
import os
from collections.abc import Callable, Generator, Iterator
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


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep tests together, for runs with several workers, that share what takes long to make; the longest come first.

    A file's tests are one group: what its fixtures make is made once. Groups are handed out in the order of the list.
    """
    for item in items:
        item.add_marker(pytest.mark.xdist_group(_group(item)))
    if "PYTEST_XDIST_WORKER" in os.environ:
        items.sort(key=lambda item: not _group(item).startswith(LONG))


LONG = ("trained by the smoke recipe", "tests/converter", "tests/system", "tests/broker/store", "tests/test_house.py")


def _group(item: pytest.Item) -> str:
    if {"prepared", "trained", "untrained"} & set(getattr(item, "fixturenames", ())):
        return "trained by the smoke recipe"
    file = item.nodeid.partition("::")[0]
    return "tests/converter" if file.startswith("tests/converter") else file


@pytest.fixture(autouse=True)
def _own_logging() -> Iterator[None]:
    """Take away the log handler that a program run in this process has set: it writes to this test's stderr."""
    handlers, level = logging.root.handlers[:], logging.root.level
    yield
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)


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
    return made_once(tmp_path_factory, "tiny", tiny_bundle.build)


def made_once(tmp_path_factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """Return a folder that `make` fills, the same one for all workers of a run; the first that needs it makes it."""
    common = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        common = common.parent
    folder = common / f"made-once-{name}"
    with (common / f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            unfinished = folder.with_suffix(".unfinished")
            make(unfinished)
            unfinished.rename(folder)
    return folder


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name long files, after a run of the rules of the house: length is advice (CONTRIBUTING.md), and fails nothing."""
    if any("test_house.py" in report.nodeid for report in terminalreporter.getreports("passed")):
        for line in house.long_files():
            terminalreporter.write_line(line)
