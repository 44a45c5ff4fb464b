"""The first password by an invitation: once, within a day, and for this account alone."""

from pathlib import Path

import httpx
import pytest

from broker.cli import main
from broker.config import broker as config_file
from testing.waiting import PATIENCE_SECONDS
from tests.broker.web.serving import serving

PASSWORD = "lighthouse kettle umbrella"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A configuration with links, and its database."""
    config = tmp_path / "broker.yaml"
    (tmp_path / "links.secret").write_text("0123456789abcdef" * 4, encoding="utf-8")
    assert main.main(["init", "--config", str(config), "--language", "en"]) == 0
    links = "links: {base_url: 'https://wordcam.example', secret_file: links.secret}\n"
    text = config.read_text(encoding="utf-8").replace("port: 8080", "port: 0")
    config.write_text(text + links, encoding="utf-8")
    assert main.main(["migrate", "--config", str(config)]) == 0
    return config


def invite(site: Path, capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """Return the path of the link that `user invite` prints."""
    capsys.readouterr()
    assert main.main(["user", "invite", "mina", "--config", str(site), *words]) == 0
    link = capsys.readouterr().out.splitlines()[1]
    assert link.startswith("https://wordcam.example/welcome/")
    return link.removeprefix("https://wordcam.example")


def test_an_invitation_sets_the_first_password_once(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = invite(site, capsys, "--role", "administrator")

    with (
        serving(config_file.load(site)) as address,
        httpx.Client(base_url=address, timeout=PATIENCE_SECONDS) as browser,
    ):
        assert "Welcome, mina" in browser.get(path).text
        assert browser.post(path, data={"password": "mina1234"}).status_code == 400
        assert browser.post(path, data={"password": PASSWORD}).headers["location"] == "/login"
        assert browser.get(path).status_code == 410
        assert browser.post(path, data={"password": "another " + PASSWORD}).status_code == 410

    assert main.main(["user", "list", "--config", str(site)]) == 0
    assert "mina\tadministrator" in capsys.readouterr().out


def test_an_earlier_link_of_the_same_account_ends_with_it(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = invite(site, capsys), invite(site, capsys)

    with (
        serving(config_file.load(site)) as address,
        httpx.Client(base_url=address, timeout=PATIENCE_SECONDS) as browser,
    ):
        assert browser.post(second, data={"password": PASSWORD}).status_code == 303
        assert browser.get(first).status_code == 410


@pytest.mark.parametrize("token", ["x", "W10.aaaa.bbbb", "x" * 3000, "%00"])
def test_a_link_that_is_not_ours_opens_nothing(token: str, site: Path) -> None:
    with (
        serving(config_file.load(site)) as address,
        httpx.Client(base_url=address, timeout=PATIENCE_SECONDS) as browser,
    ):
        assert browser.get(f"/welcome/{token}").status_code in {404, 410}


def test_without_links_there_are_no_invitations(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "broker.yaml"
    assert main.main(["init", "--config", str(config)]) == 0
    assert main.main(["migrate", "--config", str(config)]) == 0

    assert main.main(["user", "invite", "mina", "--config", str(config)]) == 78

    assert "has no `links`" in capsys.readouterr().err
