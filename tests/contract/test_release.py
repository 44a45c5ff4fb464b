"""What `--version` says is what the contract holds."""

import re

from contract import bundle, release, topics
from tests.conftest import REPOSITORY


def test_the_numbers_are_those_of_the_protocol_and_the_bundle() -> None:
    assert f"wordcam/v{release.PROTOCOL}" == topics.ROOT
    assert bundle.FORMAT == release.BUNDLE_FORMAT


def test_the_line_says_version_protocol_and_support_period() -> None:
    said = release.line("wordcam-edge")

    assert re.fullmatch(
        r"wordcam-edge \d+\.\d+\.\d+ \(MQTT protocol 1, bundle format 1; security fixes until \d{4}-\d\d-\d\d\)", said
    )


def test_the_changelog_has_a_section_for_this_version() -> None:
    assert f"\n## [{release.VERSION}]" in (REPOSITORY / "CHANGELOG.md").read_text(encoding="utf-8")
