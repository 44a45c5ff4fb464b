"""A system update is made of an image: real RAUC makes it, and reads it back."""

import random
import shutil
import subprocess
from pathlib import Path, PurePosixPath

import msgspec
import pytest

from edge import boot_partition
from edge import cli as edge_cli
from edge.boot_partition import Mark
from edge.errors import Misconfigured
from edge.flash import fat
from edge.flash.image_file import Extent
from edge.image import bundle, card, recipe, signing
from edge.image.bundle import Content, Signer
from edge.image.card import MIB, Layout
from edge.system import boot_partition as boot_files
from edge.system import installer
from edge.system.installer import InstalledRauc, Refused
from edge.system.slots import Slot

VERSION = "0.2.0+202611290000.aaaaaaaa"


@pytest.fixture
def signer(tmp_path: Path) -> Signer:
    signing.make(tmp_path / "keys")
    return Signer(tmp_path / "keys" / signing.KEY, tmp_path / "keys" / signing.CERTIFICATE)


def small_image(folder: Path, *, system: str = VERSION) -> Path:
    """An image with the partitions of ours, smaller."""
    for program in ("mkfs.vfat", "mcopy", "mksquashfs"):
        if shutil.which(program, path="/usr/bin:/usr/sbin:/sbin") is None:
            pytest.skip(f"{program} is not installed")
    layout = Layout(*(Extent(start * MIB, end * MIB) for start, end in ((1, 36), (36, 40), (40, 44), (44, 46))))
    boot, root = folder / "boot.fat", folder / "root.squashfs"
    boot.write_bytes(bytes(layout.boot.size))
    subprocess.run(["/sbin/mkfs.vfat", "-F", "32", str(boot)], check=True, capture_output=True)
    mark = Mark(version="0.2.0", base=boot_partition.OWN, built_of="f" * 64, system=system)
    files = {"a/vmlinuz": b"kernel" * 1000, "a/initrd.img": b"disk", "a/bcm2711-rpi-4-b.dtb": b"tree"}
    files |= {"a/cmdline.txt": recipe.command_line("a").encode(), "config.txt": recipe.CONFIG_TXT.encode()}
    files |= {str(boot_partition.MARK): msgspec.json.encode(mark)}
    fat.write(boot, {PurePosixPath(name): content for name, content in files.items()})
    (folder / "tree").mkdir()
    (folder / "tree/file").write_bytes(random.Random(14).randbytes(20_000))
    subprocess.run(["mksquashfs", str(folder / "tree"), str(root), "-quiet"], check=True, capture_output=True)
    image = folder / "card.img"
    with image.open("wb") as file:
        file.truncate(layout.size_bytes)
        for extent, content in ((Extent(0, 512), card.table(layout)), (layout.boot, boot.read_bytes())):
            file.seek(extent.start)
            file.write(content)
        file.seek(layout.root_a.start)
        file.write(root.read_bytes())
    return image


def test_a_system_is_taken_out_of_an_image_with_a_command_line_for_either_slot(tmp_path: Path) -> None:
    image = small_image(tmp_path)
    (tmp_path / "work").mkdir()

    content = bundle.read(image, tmp_path / "work")

    assert content.version == VERSION
    assert sorted(content.boot_files) == ["bcm2711-rpi-4-b.dtb", "initrd.img", "vmlinuz"]
    assert content.command_lines == {slot: recipe.command_line(slot) for slot in Slot}
    squashfs = (tmp_path / "root.squashfs").read_bytes()
    assert content.root.read_bytes() == squashfs
    assert bundle.archive(content) == bundle.archive(content)


@pytest.mark.parametrize("system", ["", "another"])
def test_an_image_that_takes_no_updates_makes_none(tmp_path: Path, system: str) -> None:
    image = small_image(tmp_path, system=system)
    if system:
        fat.write(image, {boot_partition.MARK: b'{"version":"1","base":"raspios.img","built_of":""}'}, offset=MIB)
    (tmp_path / "work").mkdir()

    with pytest.raises(Misconfigured, match="not wordcam's own image"):
        bundle.read(image, tmp_path / "work")


def configured(folder: Path, signer: Signer) -> InstalledRauc:
    config = folder / "system.conf"
    config.write_text(
        f"[system]\ncompatible={installer.COMPATIBLE}\nbootloader=noop\n[keyring]\npath={signer.certificate}\n"
    )
    return InstalledRauc(config)


def test_rauc_verifies_what_it_made_and_refuses_another_signature(tmp_path: Path, signer: Signer) -> None:
    if shutil.which("rauc") is None:
        pytest.skip("rauc is not installed")
    image, to = small_image(tmp_path), tmp_path / "update.raucb"
    words = ["image", "bundle", str(image), "--key", str(signer.key), "--cert", str(signer.certificate), "-o", str(to)]
    assert edge_cli.main(words) == 0

    found = configured(tmp_path, signer).info(to)

    assert (found.compatible, found.version) == (installer.COMPATIBLE, VERSION)
    signing.make(tmp_path / "others")
    others = Signer(tmp_path / "others" / signing.KEY, tmp_path / "others" / signing.CERTIFICATE)
    with pytest.raises(Refused, match="signature: "):
        configured(tmp_path, others).info(to)
    for damaged in (to.read_bytes()[:-4000], b"no bundle" * 100):
        to.write_bytes(damaged)
        with pytest.raises(Refused, match="not-a-bundle: "):
            configured(tmp_path, signer).info(to)


def test_a_bundle_is_verified_block_by_block_and_named_by_version() -> None:
    assert "format=verity" in bundle.manifest(VERSION)
    assert f"version={VERSION}" in bundle.manifest(VERSION)


def test_the_archive_holds_plain_files(tmp_path: Path) -> None:
    content = Content(VERSION, tmp_path / "root", {"vmlinuz": b"kernel"}, {slot: f"line {slot}" for slot in Slot})

    made = tmp_path / "boot.tar"
    made.write_bytes(bundle.archive(content))
    (tmp_path / "boot").mkdir()
    boot_files.write_files(made, tmp_path / "boot", Slot.B)
    assert (tmp_path / "boot/b/cmdline.txt").read_text() == "line b\n"


def test_a_key_is_not_replaced_by_mistake(tmp_path: Path, signer: Signer) -> None:
    assert signer.key.stat().st_mode & 0o077 == 0
    with pytest.raises(Misconfigured, match="is there already"):
        signing.make(tmp_path / "keys")


def test_what_is_missing_is_said_before_anything_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["image", "bundle", str(tmp_path / "no.img"), "--key", "key", "--cert", "cert"]

    assert edge_cli.main(words) == 78

    said = capsys.readouterr().err
    assert "there is no such file" in said or "sudo apt install" in said
