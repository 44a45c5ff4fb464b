"""`tools/release.py`: what a release consists of."""

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from contract.release import VERSION
from tests.conftest import REPOSITORY


@pytest.fixture(scope="module")
def release() -> ModuleType:
    """The script, which belongs to no package."""
    spec = importlib.util.spec_from_file_location("release", REPOSITORY / "tools" / "release.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_changes_are_those_of_the_version_alone(release: ModuleType) -> None:
    changes = release.changes(VERSION)

    assert changes.startswith("### Added\n")
    assert "\n## [" not in changes
    assert not changes.endswith("\n\n")


def test_a_version_without_a_section_is_refused(release: ModuleType) -> None:
    with pytest.raises(ValueError, match=r"no section \[9\.9\.9\]"):
        release.changes("9.9.9")


def package(name: str, version: str, digest: str) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "version": version},
        "download_info": {"url": f"https://files.invalid/{name}.whl", "archive_info": {"hashes": {"sha256": digest}}},
    }


def test_packages_are_listed_with_version_and_digest_and_without_the_wheel_itself(release: ModuleType) -> None:
    report = {"install": [package("numpy", "2.4.6", "b" * 64), package("wordcam", VERSION, "c" * 64)]}

    assert list(release.pinned(report)) == [f"numpy==2.4.6 --hash=sha256:{'b' * 64}"]


def test_every_extra_of_a_bill_exists(release: ModuleType) -> None:
    text = Path(REPOSITORY / "pyproject.toml").read_text(encoding="utf-8")

    for extras in release.SERVICES.values():
        assert all(f"\n{extra} = [" in text for extra in extras.split(","))
