"""`wordcam-edge check` and `update`, as users type them, with a repository."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from contract import bundle
from contract.update import Offer, Progress, Reason
from edge import cli, config, service
from edge.errors import MISCONFIGURED, TRY_AGAIN, TryAgain
from edge.outbox.recovery import open_outbox
from edge.send.updates import STEP_SECONDS, Updates, start_update
from edge.update.installed import Installed
from edge.update.outcome import Running
from testing.file_server import FileServer, Misbehaviour
from testing.waiting import wait_until
from tests.edge.conftest import Write
from tests.edge.update.publisher import Site, make_bundle


@pytest.fixture
def configured(site: Site, server: FileServer, tmp_path: Path, write_config: Write) -> Path:
    """A device's `edge.yaml`."""
    make_bundle(tmp_path / "bundle", "1.0.0")
    (tmp_path / "root.json").write_bytes(site.repository.root)
    return write_config(updates={"url": server.url, "root_file": "root.json"})


def test_check_says_whose_signatures_count(configured: Path, server: FileServer) -> None:
    assert "signed by keys that count" in service.check_updates(config.load(configured))
    server.misbehaviour["timestamp.json"] = Misbehaviour.ERROR
    with pytest.raises(TryAgain, match="unreachable"):
        service.check_updates(config.load(configured))


def test_update_takes_what_is_named(configured: Path, site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["update", "--target", site.target, "--config", str(configured), "--dry-run"]) == 0
    assert not (configured.parent / "models").exists()

    assert cli.main(["update", "--target", site.target, "--config", str(configured)]) == 0

    assert capsys.readouterr().out.splitlines()[-1] == f"testing · {site.target}"
    assert bundle.load(configured.parent / "models" / "current").version == "1.1.0"


def test_update_says_why_not(
    configured: Path, server: FileServer, site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--config", str(configured)]
    assert cli.main(["update", "--target", "standard/wordcam-1-9.9.9.tar", *words]) == MISCONFIGURED
    assert "refused · standard/wordcam-1-9.9.9.tar · not-signed-for" in capsys.readouterr().out

    server.misbehaviour[".tar"] = Misbehaviour.CUT
    assert cli.main(["update", "--target", site.target, *words]) == TRY_AGAIN


def test_without_updates_in_edge_yaml_there_is_nothing_to_take(
    write_config: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["update", "--config", str(write_config())]) == MISCONFIGURED
    assert "`updates` is missing" in capsys.readouterr().err


def test_headers_that_drip_are_given_up_with_the_process_that_waits_for_them(
    configured: Path, server: FileServer, site: Site
) -> None:
    """A real process, and a clock that goes two hours ahead once it waits."""
    server.misbehaviour["timestamp.json"] = Misbehaviour.DRIPPING_HEADERS
    settings = config.load(configured)
    seconds = [0.0]
    installed = Installed(configured.parent / "models", configured.parent / "bundle")
    with open_outbox(settings.outbox.path, 100, 1 << 20) as outbox:
        updates = Updates(
            outbox,
            "standard",
            lambda: start_update(configured),
            installed,
            chance=lambda: 0.0,
            clock=lambda: seconds[0],
        )
        updates.take_offer(Offer(site=settings.site, device=settings.device, at=datetime.now(UTC), target=site.target))
        seconds[0] += 1
        updates.turn(lambda: Running("wordcam-1@1.0.0"))
        wait_until(lambda: [path for path, _ in server.requests if path.endswith("timestamp.json")], "the request")

        seconds[0] += STEP_SECONDS
        updates.turn(lambda: Running("wordcam-1@1.0.0"))

        assert (updates.progress.progress, updates.progress.reason) == (Progress.WAITING, Reason.TOO_SLOW)
