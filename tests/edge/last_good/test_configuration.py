"""The last configuration that worked."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from contract.status import Fallback, Part
from edge.errors import Misconfigured
from edge.last_good import state_folder
from edge.last_good.configuration import LastConfiguration
from tests.edge.conftest import Write

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def last_of(path: Path) -> LastConfiguration:
    return LastConfiguration(state_folder.of(path, "look", {}), path, lambda: NOON)


def worked(path: Path) -> LastConfiguration:
    last = last_of(path)
    last.keep(last.choose().text)
    return last


def test_a_configuration_that_can_be_read_is_used_as_it_stands(write_config: Write) -> None:
    path = write_config()

    chosen = worked(path).choose()

    assert (chosen.settings.device, chosen.fallback) == ("dev-1", None)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda path: path.unlink(), "edge.yaml: No such file or directory"),
        (lambda path: path.write_bytes(b"\0" * 4096), "edge.yaml"),
        (lambda path: path.write_bytes(path.read_bytes()[:40]), "edge.yaml"),
        (lambda path: path.write_text("site: a\nmqtt: {pasword: secret}\n", "utf-8"), "edge.yaml:2: mqtt.pasword"),
    ],
    ids=["gone", "zeros", "half", "a typing error"],
)
def test_one_that_cannot_be_read_is_replaced_by_the_last_good_one(
    write_config: Write, spoil: object, reason: str
) -> None:
    path = write_config()
    before = worked(path).choose().settings
    spoil(path)  # type: ignore[operator]

    chosen = last_of(path).choose()

    assert chosen.settings == before
    assert chosen.fallback is not None
    assert (chosen.fallback.part, chosen.fallback.since) == (Part.CONFIGURATION, NOON)
    assert chosen.fallback.reason.startswith(reason)
    assert "secret" not in chosen.fallback.reason


def test_without_a_last_good_one_the_error_is_the_files_own(write_config: Write) -> None:
    path = write_config(mqtt={"hots": "x"})

    with pytest.raises(Misconfigured, match=r"mqtt\.hots: unknown key"):
        last_of(path).choose()


def test_one_with_which_nothing_can_be_done_is_no_reason_to_use_itself_again(write_config: Write) -> None:
    path = write_config()
    last = worked(path)
    error = Misconfigured("no such camera")

    with pytest.raises(Misconfigured, match="no such camera"):
        last.instead(error, of_text=last.choose().text)

    assert last.instead(error, of_text="another").fallback == Fallback(Part.CONFIGURATION, "no such camera", NOON)


def test_the_copy_of_another_file_or_a_damaged_copy_is_not_used(write_config: Write, tmp_path: Path) -> None:
    path = write_config()
    worked(path)
    copy = state_folder.of(path, "look", {}) / "configuration.json"
    copy.write_text(copy.read_text("utf-8").replace("dev-1", "dev-2"), "utf-8")
    path.unlink()

    with pytest.raises(Misconfigured):
        last_of(path).choose()
    with pytest.raises(Misconfigured):
        LastConfiguration(copy.parent, tmp_path / "other.yaml", lambda: NOON).choose()


def test_where_nothing_can_be_kept_the_work_goes_on(write_config: Write, tmp_path: Path) -> None:
    (tmp_path / "edge.state").write_text("in the way", "utf-8")
    path = write_config()

    worked(path)

    assert last_of(path).choose().fallback is None


def test_systemd_says_where_the_state_is() -> None:
    path = Path("/etc/wordcam/edge.yaml")

    assert state_folder.of(path, "look", {"STATE_DIRECTORY": "/var/lib/wordcam-look"}) == Path(
        "/var/lib/wordcam-look/look"
    )
    assert state_folder.of(path, "send", {}) == Path("/etc/wordcam/edge.state/send")
