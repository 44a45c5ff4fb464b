"""`wordcam-edge flash` into a file: what is on the card then, what is refused, and what an interruption leaves."""

import gzip
import lzma
import os
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest

from contract import enrolment
from contract.enrolment import Invitation
from edge import boot_partition, cli
from edge.boot_partition import Settings, WifiNetwork
from edge.errors import MISCONFIGURED, TryAgain
from edge.flash import bmap, fat, writer
from edge.flash.image_file import Extent
from edge.flash.progress import Progress
from foundation import yaml_file
from tests.edge.flash.conftest import BOOT_MIB, MIB, table

BOOT = Extent(MIB, (1 + BOOT_MIB) * MIB)


def flash(image: Path, invitation: Path, to: Path, *more: str) -> int:
    return cli.main(["flash", str(image), "--device", str(invitation), "--to", str(to), "--yes", *more])


def test_the_card_has_the_image_and_the_devices_files(image: Path, invitation: Path, tmp_path: Path) -> None:
    card = tmp_path / "sd.img"

    assert flash(image, invitation, card, "--camera", "/dev/video0") == 0

    written, original = card.read_bytes(), image.read_bytes()
    assert written[:MIB] == original[:MIB]
    assert written[BOOT.end :] == original[BOOT.end :]
    assert fat.read(card, boot_partition.INVITATION, offset=MIB) == invitation.read_bytes()
    settings = tmp_path / "settings.yaml"
    settings.write_bytes(fat.read(card, boot_partition.SETTINGS, offset=MIB) or b"")
    assert yaml_file.load(settings, Settings) == Settings(camera="/dev/video0")


def packed(image: Path, kind: str) -> Path:
    path = image.with_name(f"packed.img.{kind}")
    if kind == "zst":
        if shutil.which("zstd") is None:
            pytest.skip("zstd is not installed")
        subprocess.run(["zstd", "-q", "-1", str(image), "-o", str(path)], check=True)
    else:
        pack = lzma.compress(image.read_bytes(), preset=0) if kind == "xz" else gzip.compress(image.read_bytes(), 1)
        path.write_bytes(pack)
    return path


@pytest.mark.parametrize("kind", ["xz", "gz", "zst"])
def test_a_compressed_image_is_the_same_card(image: Path, invitation: Path, tmp_path: Path, kind: str) -> None:
    assert flash(packed(image, kind), invitation, tmp_path / "sd.img") == 0

    card = (tmp_path / "sd.img").read_bytes()
    assert card[BOOT.end :] == image.read_bytes()[BOOT.end :]


@pytest.mark.parametrize("kind", ["xz", "gz", "zst"])
def test_a_cut_off_image_is_found_before_anything_is_written(
    image: Path, invitation: Path, tmp_path: Path, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = packed(image, kind)
    path.write_bytes(path.read_bytes()[:-2000])

    assert flash(path, invitation, tmp_path / "sd.img") == MISCONFIGURED

    assert "fetch it again" in capsys.readouterr().err
    assert not (tmp_path / "sd.img").exists()


def test_a_digest_beside_the_image_must_be_its_own(
    image: Path, invitation: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    beside = image.with_name("card.img.sha256")
    beside.write_text(f"{'0' * 64}  card.img\n")
    assert flash(image, invitation, tmp_path / "sd.img") == MISCONFIGURED
    assert "is not the file of card.img.sha256" in capsys.readouterr().err

    beside.write_text(f"{sha256(image.read_bytes()).hexdigest()}  card.img\n")
    assert flash(image, invitation, tmp_path / "sd.img") == 0


def test_with_a_block_map_only_mapped_blocks_are_written(image: Path, invitation: Path, tmp_path: Path) -> None:
    root = BOOT.end
    mapped = (Extent(0, MIB), Extent(root, root + 2 * MIB))
    image.with_name("card.bmap").write_text(bmap.render(bmap.of(image, mapped)))
    card = tmp_path / "sd.img"

    assert flash(image, invitation, card) == 0

    written, original = card.read_bytes(), image.read_bytes()
    assert written[root : root + 2 * MIB] == original[root : root + 2 * MIB]
    assert written[root + 2 * MIB :] == bytes(3 * MIB)
    assert fat.read(card, boot_partition.INVITATION, offset=MIB) is not None


def test_bmaptool_takes_our_block_map(image: Path, tmp_path: Path) -> None:
    if shutil.which("bmaptool") is None:
        pytest.skip("bmaptool is not installed")
    beside = tmp_path / "card.bmap"
    beside.write_text(
        bmap.render(bmap.of(image, (Extent(0, BOOT.end), Extent(BOOT.end + 4 * MIB, BOOT.end + 5 * MIB))))
    )

    done = subprocess.run(
        ["bmaptool", "copy", "--bmap", str(beside), str(image), str(tmp_path / "copy.img")],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert (tmp_path / "copy.img").read_bytes()[: BOOT.end] == image.read_bytes()[: BOOT.end]


def test_wifi_goes_from_a_file_and_never_from_the_command_line(image: Path, invitation: Path, tmp_path: Path) -> None:
    password = tmp_path / "password"
    password.write_text('a "quoted" secret\n')
    card = tmp_path / "sd.img"

    assert flash(image, invitation, card, "--wifi-name", "우리집", "--wifi-password-file", str(password)) == 0

    settings = tmp_path / "settings.yaml"
    settings.write_bytes(fat.read(card, boot_partition.SETTINGS, offset=MIB) or b"")
    assert yaml_file.load(settings, Settings).wifi == WifiNetwork(name="우리집", password='a "quoted" secret')


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--wifi-name", "x" * 33], "1 to 32 bytes"),
        (["--wifi-name", "안" * 11], "1 to 32 bytes"),
        (["--wifi-name", "home", "--wifi-country", "Korea"], "two letters"),
    ],
)
def test_wifi_that_cannot_be_is_refused(
    image: Path, invitation: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    password = tmp_path / "password"
    password.write_text("long enough")

    code = flash(image, invitation, tmp_path / "sd.img", *words, "--wifi-password-file", str(password))

    assert code == MISCONFIGURED
    assert said in capsys.readouterr().err


def test_a_short_wifi_password_is_refused_without_showing_it(
    image: Path, invitation: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    password = tmp_path / "password"
    password.write_text("s3cret")

    words = ["--wifi-name", "home", "--wifi-password-file", str(password)]
    assert flash(image, invitation, tmp_path / "sd.img", *words) == MISCONFIGURED

    said = capsys.readouterr().err
    assert "8 to 63 characters" in said
    assert "s3cret" not in said


def test_without_a_terminal_neither_password_nor_consent_is_asked_for(
    image: Path, invitation: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    to = tmp_path / "sd.img"

    assert flash(image, invitation, to, "--wifi-name", "home") == MISCONFIGURED
    assert "--wifi-password-file" in capsys.readouterr().err
    assert cli.main(["flash", str(image), "--device", str(invitation), "--to", str(to)]) == MISCONFIGURED
    assert "--yes" in capsys.readouterr().err
    assert not to.exists()


def test_a_dry_run_says_everything_and_writes_nothing(
    image: Path, invitation: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert flash(image, invitation, tmp_path / "sd.img", "--dry-run") == 0

    said = capsys.readouterr().out
    assert "north-gate/pi-01, server https://wordcam.example:8443" in said
    assert "sd.img, a file" in said
    assert not (tmp_path / "sd.img").exists()


@pytest.mark.parametrize(
    ("to", "said"),
    [
        ("/dev/null", "is no disk"),
        ("/dev/does-not-exist", "there is no such disk"),
        ("/no-such-folder/sd.img", "there is no folder"),
    ],
)
def test_what_is_no_disk_is_refused(
    image: Path, invitation: Path, capsys: pytest.CaptureFixture[str], to: str, said: str
) -> None:
    assert flash(image, invitation, Path(to)) == MISCONFIGURED

    assert said in capsys.readouterr().err


def test_an_expired_invitation_is_refused_before_anything_is_written(
    image: Path, invitation: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    known = enrolment.read(invitation.read_bytes(), Invitation)
    past = msgspec.structs.replace(known, until=datetime.now(UTC) - timedelta(minutes=1))
    invitation.write_bytes(msgspec.json.encode(past))

    assert flash(image, invitation, tmp_path / "sd.img") == MISCONFIGURED

    assert "`wordcam-broker enroll north-gate/pi-01`" in capsys.readouterr().err
    assert not (tmp_path / "sd.img").exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a photograph", "no table of partitions"),
        (bytes(2 * MIB), "no table of partitions"),
        (table((0x83, 1, 1)).ljust(2 * MIB, b"\0"), "no boot partition"),
        (table((0x0C, 1, 64)).ljust(2 * MIB, b"\0"), "is cut off"),
        (table((0x0C, 1, 2)).ljust(3 * MIB, b"\0"), "image build --base"),
    ],
)
def test_what_is_no_image_of_ours_is_refused(
    content: bytes, said: str, invitation: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other.img"
    other.write_bytes(content)

    assert flash(other, invitation, tmp_path / "sd.img") == MISCONFIGURED

    assert said in capsys.readouterr().err
    assert not (tmp_path / "sd.img").exists()


class _Stopped(Progress):
    """Ends the work after some bytes, as Ctrl-C does."""

    def add(self, count: int) -> None:
        self._done += count
        if self._done > 8 * MIB:
            raise KeyboardInterrupt


@pytest.mark.parametrize("stopped_in", ["writing", "reading back"])
def test_an_interrupted_card_has_no_table_of_partitions(image: Path, tmp_path: Path, stopped_in: str) -> None:
    card = tmp_path / "sd.img"
    card.write_bytes(image.read_bytes())  # it booted before
    boot_copy = tmp_path / "boot"
    boot_copy.write_bytes(image.read_bytes()[BOOT.start : BOOT.end])
    size = image.stat().st_size

    with boot_copy.open("rb") as boot, pytest.raises(TryAgain, match="does not boot as it is; flash it again"):
        writer.write(
            writer.Plan(image, size, BOOT, boot, (Extent(0, size),)),
            card,
            (_Stopped if stopped_in == "writing" else Progress)("writing", size),
            (_Stopped if stopped_in == "reading back" else Progress)("reading back", size),
        )

    assert card.read_bytes()[:MIB] == bytes(MIB)


class _Forgetful(Progress):
    """Changes a byte on the card once all is written, as a bad card does."""

    def __init__(self, card: Path) -> None:
        super().__init__("writing", 1)
        self._card = card

    def end(self) -> None:
        with self._card.open("r+b") as file:
            file.seek(BOOT.end + 17)
            byte = file.read(1)
            file.seek(BOOT.end + 17)
            file.write(bytes([byte[0] ^ 1]))


def test_a_card_that_returns_other_bytes_is_found(image: Path, tmp_path: Path) -> None:
    card, size = tmp_path / "sd.img", image.stat().st_size
    boot = tmp_path / "boot"
    boot.write_bytes(image.read_bytes()[BOOT.start : BOOT.end])

    with boot.open("rb") as copy:
        plan = writer.Plan(image, size, BOOT, copy, (Extent(0, size),))
        with pytest.raises(TryAgain, match="other bytes than were written"):
            writer.write(plan, card, _Forgetful(card), Progress("reading back", size))

    assert card.read_bytes()[:MIB] == bytes(MIB)


def test_a_disk_that_fills_up_meanwhile_says_so(image: Path, invitation: Path) -> None:
    if not os.access("/dev/full", os.W_OK):
        pytest.skip("there is no /dev/full")
    size = image.stat().st_size

    with image.open("rb") as boot:
        plan = writer.Plan(image, size, BOOT, boot, (Extent(0, size),))
        with pytest.raises(TryAgain, match="flash it again"):
            writer.write(plan, Path("/dev/full"), Progress("writing", size), Progress("reading back", size))
