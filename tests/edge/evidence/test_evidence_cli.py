"""`wordcam-edge evidence`: what an owner does with it, from keys to a picture."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from edge import cli, config
from edge.errors import Misconfigured
from edge.evidence import cli as evidence_cli
from edge.evidence.sealed_folder import SealedFolder
from edge.evidence.sealing import Seal
from tests.edge.conftest import Write

BEGIN = datetime(2026, 1, 1, 12, tzinfo=UTC)
PUBLIC = "age1fjlvcwnv072rywzxulm7fwr7zvu4acjlvfnfs9y7snhq9k94jcxss7ptlf"


def keygen(path: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """Make a private key; return the public one, as it is printed for edge.yaml."""
    assert cli.main(["evidence", "keygen", "--to", str(path)]) == 0
    return capsys.readouterr().out.rpartition("public_key: ")[2].strip()


def kept(folder: Path, public: str, content: bytes) -> Path:
    known = SealedFolder(folder, max_bytes=1 << 20, keep_hours=1)
    known.begin()
    return known.add(Seal(public).close(content), BEGIN, "gun", "cam-0")


def test_an_owner_makes_keys_lists_what_is_kept_and_opens_it(
    tmp_path: Path, write_config: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    key = tmp_path / "private.key"
    public = keygen(key, capsys)
    path = write_config(evidence={"public_key": public})
    (folder,) = evidence_cli.folders_of(path, system=tmp_path / "none")
    file = kept(folder, public, b"a picture")

    assert cli.main(["evidence", "list", "--config", str(path)]) == 0
    listed = capsys.readouterr().out.splitlines()
    assert listed[0].startswith("2026-01-01 12:00:00 UTC  gun  cam-0  ")
    assert listed[0].endswith(str(file))
    assert listed[1].startswith("1 sealed pictures, ")

    assert cli.main(["evidence", "open", str(file), "--key", str(key), "--to", str(tmp_path / "gun.jpg")]) == 0
    assert (tmp_path / "gun.jpg").read_bytes() == b"a picture"
    assert oct((tmp_path / "gun.jpg").stat().st_mode & 0o777) == "0o600"


def test_a_list_for_scripts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    public = keygen(tmp_path / "private.key", capsys)
    file = kept(tmp_path / "evidence", public, b"x")

    assert cli.main(["evidence", "list", "--folder", str(file.parent), "--json"]) == 0

    (entry,) = json.loads(capsys.readouterr().out)
    assert entry == {
        "at": "2026-01-01T12:00:00+00:00",
        "danger": "gun",
        "stream": "cam-0",
        "size_bytes": file.stat().st_size,
        "path": str(file),
    }


def test_of_several_cameras_the_folder_of_each_is_listed_with_the_units_and_without(
    tmp_path: Path, write_config: Write
) -> None:
    replay = {"kind": "replay", "path": "frames"}
    path = write_config(camera=None, cameras=[replay | {"stream": "door"}, replay | {"stream": "yard"}])
    state, system = tmp_path / "edge.state", tmp_path / "system"
    system.mkdir()

    assert list(evidence_cli.folders_of(path, system)) == [
        base / f"look-{stream}" / "evidence" for stream in ("door", "yard") for base in (state, system)
    ]


@pytest.mark.parametrize("act", ["keygen", "open"])
def test_nothing_is_written_over(act: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    key = tmp_path / "private.key"
    file = kept(tmp_path / "evidence", keygen(key, capsys), b"x")
    there = tmp_path / "there"
    there.write_text("mine", encoding="utf-8")
    rest = {"keygen": [], "open": [str(file), "--key", str(key)]}[act]

    assert cli.main(["evidence", act, *rest, "--to", str(there)]) == 78

    assert "is there already; name a new file" in capsys.readouterr().err
    assert there.read_text(encoding="utf-8") == "mine"


def test_a_file_that_cannot_be_opened_leaves_no_picture(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = kept(tmp_path / "evidence", keygen(tmp_path / "one.key", capsys), b"x")
    keygen(tmp_path / "other.key", capsys)
    to = tmp_path / "gun.jpg"

    assert cli.main(["evidence", "open", str(file), "--key", str(tmp_path / "other.key"), "--to", str(to)]) == 78

    assert "was not sealed for the key in" in capsys.readouterr().err
    assert not to.exists()


def test_it_is_off_unless_the_configuration_has_it(write_config: Write) -> None:
    assert config.load(write_config()).evidence is None


@pytest.mark.parametrize(
    "key", ["", PUBLIC[:-1], PUBLIC.upper(), "ssh-ed25519 AAAA", "AGE-SECRET-KEY-1" + "Q" * 58], ids=range(5)
)
def test_what_is_no_public_key_is_refused_and_not_repeated(write_config: Write, key: str) -> None:
    with pytest.raises(Misconfigured, match=r"evidence\.public_key") as raised:
        config.load(write_config(evidence={"public_key": key}))
    assert "QQQQ" not in str(raised.value), "it may be the private key, pasted by mistake"
