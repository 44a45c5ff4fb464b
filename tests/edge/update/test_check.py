"""`wordcam-edge check` and `update`, as users type them, with a repository."""

from pathlib import Path

import pytest

from contract import bundle
from edge import cli, config, service
from edge.errors import MISCONFIGURED, TRY_AGAIN, TryAgain
from testing.file_server import FileServer, Misbehaviour
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
