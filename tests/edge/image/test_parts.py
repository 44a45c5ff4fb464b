"""Parts of the image: its table of partitions, its initial RAM disk, its bill of materials and its files."""

import configparser
import gzip
import json
import re
import shutil
import subprocess
from pathlib import Path

import jsonschema
import msgspec
import pytest

from edge.errors import Misconfigured, TryAgain
from edge.flash.image_file import FIRST_BYTES
from edge.image import bill, build, card, cli, debian, device, foreign, imager, initrd, program, recipe, wheelhouse
from edge.image.debian import Package
from edge.image.recipe import Inputs
from edge.image.wheelhouse import Wheel
from tests.conftest import REPOSITORY

EPOCH = 1_790_000_000

OVERLAY = sorted(path for path in device.OVERLAY.rglob("*") if path.is_file())


def test_sfdisk_reads_our_table_of_partitions(tmp_path: Path) -> None:
    if shutil.which("sfdisk", path="/sbin:/usr/sbin:/usr/bin") is None:
        pytest.skip("sfdisk is not installed")
    image = tmp_path / "card.img"
    with image.open("wb") as file:
        file.write(card.table(card.layout()))
        file.truncate(card.layout().size_bytes)

    command = ["sfdisk", "--json", str(image)]
    environ = {"PATH": "/sbin:/usr/sbin:/usr/bin"}
    said = subprocess.run(command, capture_output=True, text=True, check=True, env=environ).stdout

    found = json.loads(said)["partitiontable"]
    assert found["id"] == f"0x{recipe.SIGNATURE:08x}"
    sizes = [recipe.BOOT_MIB, recipe.ROOT_MIB, recipe.ROOT_MIB, recipe.DATA_MIB]
    assert [part["size"] // 2048 for part in found["partitions"]] == sizes
    assert [part["type"] for part in found["partitions"]] == ["c", "83", "83", "83"]


def test_partitions_lie_behind_what_flash_writes_last() -> None:
    assert card.layout().boot.start == FIRST_BYTES


def test_command_line_and_mounts_name_the_disk_by_its_signature() -> None:
    fstab = (device.OVERLAY / "etc/fstab").read_text(encoding="utf-8")

    assert f"root=PARTUUID={recipe.SIGNATURE:08x}-02" in recipe.command_line("a")
    assert set(re.findall(r"PARTUUID=(\w+)-", fstab)) == {f"{recipe.SIGNATURE:08x}"}


def kernel(root: Path) -> Path:
    """Make a root with busybox and a few modules, which need one another."""
    modules = root / "usr/lib/modules/6.12/kernel"
    modules.mkdir(parents=True)
    (root / "usr/bin").mkdir()
    (root / "usr/bin/busybox").write_bytes(b"busybox")
    for name in ("jbd2", "mbcache", "ext4", "squashfs", "unwanted"):
        (modules / f"{name}.ko").write_bytes(name.encode())
    dep = "kernel/jbd2.ko:\nkernel/mbcache.ko:\nkernel/ext4.ko: kernel/jbd2.ko kernel/mbcache.ko\n"
    (modules.parent / "modules.dep").write_text(dep + "kernel/squashfs.ko:\nkernel/unwanted.ko:\n")
    return root


def test_the_initial_ram_disk_has_each_module_behind_those_that_it_needs(tmp_path: Path) -> None:
    root = kernel(tmp_path / "root")

    made = initrd.build(root, "6.12")

    (tmp_path / "unpacked").mkdir()
    if shutil.which("cpio"):
        command = ["cpio", "-idm", "--quiet", "--no-absolute-filenames"]
        subprocess.run(command, input=gzip.decompress(made), cwd=tmp_path / "unpacked", check=False)
        order = (tmp_path / "unpacked/modules.order").read_text().split()
    else:
        order = re.findall(r"\w+\.ko(?=\n)", gzip.decompress(made).decode("latin-1"))
    assert set(order) == {"squashfs.ko", "jbd2.ko", "mbcache.ko", "ext4.ko"}
    assert order.index("ext4.ko") > max(order.index("jbd2.ko"), order.index("mbcache.ko"))
    assert initrd.build(root, "6.12") == made


def test_the_script_of_the_initial_ram_disk_is_a_shells(tmp_path: Path) -> None:
    script = tmp_path / "init"
    script.write_text(initrd.INIT, encoding="utf-8")

    assert subprocess.run(["sh", "-n", str(script)], check=False).returncode == 0


def packages() -> list[Package]:
    return [
        Package("libc6", "2.41-12", "arm64", "a" * 64, ("LGPL-2.1+",), 9000),
        Package("tzdata", "2026a", "all", "b" * 64, (), 20_000),
    ]


def test_the_bill_of_materials_is_cyclonedx_and_names_every_part(tmp_path: Path) -> None:
    wheel = tmp_path / "numpy.whl"
    wheel.write_bytes(b"wheel")
    models = [REPOSITORY / "models" / "wordcam-1"]

    made = bill.render(packages(), [Wheel("numpy", "2.4.6", "BSD-3-Clause", wheel)], models, epoch=EPOCH)

    names = [one["name"] for one in json.loads(made)["components"]]
    assert names == ["libc6", "tzdata", "numpy", "wordcam-1"]
    assert made == bill.render(packages(), [Wheel("numpy", "2.4.6", "BSD-3-Clause", wheel)], models, epoch=EPOCH)
    json_validator = pytest.importorskip("cyclonedx.validation.json")
    schema = pytest.importorskip("cyclonedx.schema")
    assert json_validator.JsonStrictValidator(schema.SchemaVersion.V1_6).validate_str(made.decode()) is None


def test_the_list_of_packages_begins_with_the_largest() -> None:
    assert bill.listing(packages()).split()[1] == "tzdata"


IMAGER_SCHEMA = {
    "type": "object",
    "required": ["os_list"],
    "additionalProperties": False,
    "properties": {
        "imager": {
            "type": "object",
            "properties": {
                "devices": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["name", "tags"],
                        "properties": {
                            "tags": {"type": "array", "items": {"type": "string"}},
                            "matching_type": {"enum": ["exclusive", "inclusive"]},
                        },
                    },
                },
            },
        },
        "os_list": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": [
                    *("name", "description", "icon", "url", "extract_size", "extract_sha256"),
                    *("image_download_size", "release_date", "devices"),
                ],
                "properties": {
                    **{key: {"type": "string"} for key in ("name", "description", "icon")},
                    "url": {"type": "string", "pattern": "^(https?|file)://"},
                    "extract_size": {"type": "integer", "minimum": 1},
                    "extract_sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
                    "image_download_size": {"type": "integer", "minimum": 1},
                    "release_date": {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}$"},
                    "init_format": {"enum": ["none", "systemd", "cloudinit", "cloudinit-rpi"]},
                    "devices": {"type": "array", "items": {"type": "string"}, "minItems": 1},
                    "architecture": {"enum": ["armv6", "armv7", "armv8"]},
                },
            },
        },
    },
}
"""What Raspberry Pi Imager asks of a manifest, in our words (raspberrypi/rpi-imager, doc/schema-notes.md).

`url` is handed to libcurl as it is: of a bare file name it makes a host.
"""


@pytest.mark.parametrize("init_format", ["none", "cloudinit-rpi"])
def test_the_manifest_is_what_raspberry_pi_imager_asks_for(tmp_path: Path, init_format: str) -> None:
    image, packed = tmp_path / "card.img", tmp_path / "card.img.xz"
    image.write_bytes(b"image" * 1000)
    packed.write_bytes(b"packed")

    imager.write(image, EPOCH, packed=packed, init_format=init_format)

    made = json.loads((tmp_path / "card.img.rpi-imager-manifest").read_bytes())
    jsonschema.validate(made, IMAGER_SCHEMA)
    (entry,) = made["os_list"]
    assert (entry["extract_size"], entry["image_download_size"]) == (5000, 6)
    assert (entry["url"], entry["bmap"]) == (packed.as_uri(), "card.img.bmap")


def test_imager_offers_the_image_for_boards_that_the_manifest_lists(tmp_path: Path) -> None:
    image = tmp_path / "card.img"
    image.write_bytes(b"image")

    imager.write(image, EPOCH, url="https://wordcam.example/images/", boards=imager.BOARDS_OF_RASPBERRY_PI_OS)

    made = json.loads((tmp_path / "card.img.rpi-imager-manifest").read_bytes())
    (entry,) = made["os_list"]
    assert entry["url"] == "https://wordcam.example/images/card.img"
    assert {tag for board in made["imager"]["devices"] for tag in board["tags"]} == set(entry["devices"])


def test_every_wheel_of_the_image_is_of_the_version_in_the_constraints() -> None:
    lines = (REPOSITORY / "constraints.txt").read_text(encoding="utf-8").splitlines()
    known = dict(line.split("==") for line in lines if "==" in line)

    wanted = wheelhouse.pins(cli.WHEELS.read_text(encoding="utf-8"))

    assert {name: known[name] for name in wanted} == wanted
    assert {"ai-edge-litert", "av", "numpy", "opencv-python-headless", "paho-mqtt", "msgspec", "cryptography"} <= set(
        wanted
    )


def test_a_wheel_without_hash_is_refused(tmp_path: Path) -> None:
    wheels = tmp_path / "wheels.txt"
    wheels.write_text("numpy==2.4.6\n")

    with pytest.raises(Misconfigured, match="--hash=sha256"):
        wheelhouse.fetch(wheels, tmp_path)


def test_each_part_is_built_anew_for_other_inputs_and_for_no_other_reason(tmp_path: Path) -> None:
    wheels = tmp_path / "wheels.txt"
    wheels.write_text("one")
    first = build.keys(Inputs(None, EPOCH, wheels))
    later = build.keys(Inputs(None, EPOCH + 1, wheels))
    snapshot = build.keys(Inputs("https://mirror.example/20261101T000000Z", EPOCH, wheels))
    wheels.write_text("two")
    other = build.keys(Inputs(None, EPOCH, wheels))

    assert build.keys(Inputs(None, EPOCH, wheels)) == other
    assert (later.root, later.libraries) == (first.root, first.libraries)
    assert later.image != first.image
    assert snapshot.root != first.root
    assert (other.root, other.libraries != first.libraries) == (first.root, True)


@pytest.mark.parametrize(("said", "epoch"), [({"SOURCE_DATE_EPOCH": "17"}, 17)])
def test_the_time_of_files_is_that_of_the_environment(said: dict[str, str], epoch: int) -> None:
    assert cli.source_date_epoch(said) == epoch


def test_a_time_that_is_none_is_refused() -> None:
    with pytest.raises(Misconfigured, match="seconds since 1970"):
        cli.source_date_epoch({"SOURCE_DATE_EPOCH": "yesterday"})


def test_a_missing_program_is_named_with_its_package(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="sudo apt install its-package"):
        build.require(tmp_path, tmp_path / "card.img", {"no-such-program": "its-package"})


def test_a_part_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    def fail(_: Path) -> None:
        raise TryAgain("no network")

    with pytest.raises(TryAgain):
        build.kept(tmp_path / "root-1", fail, lambda _: None)

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("unit", [path for path in OVERLAY if path.suffix == ".service"], ids=lambda path: path.name)
def test_systemd_finds_nothing_wrong_with_a_unit_of_the_image(unit: Path, tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    text = re.sub(
        r"(?<=[=+-])(/opt/wordcam/bin/wordcam-edge|/usr/sbin/wpa_supplicant|/usr/lib/wordcam/\S+)",
        "/bin/true",
        unit.read_text(),
    )
    (tmp_path / unit.name).write_text(text, encoding="utf-8")

    command = ["systemd-analyze", "verify", "--man=no", str(tmp_path / unit.name)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    said = [line for line in done.stderr.splitlines() if unit.name in line and "Failed to prepare" not in line]
    assert said == []


def test_enrolment_is_nobody_but_the_user_that_sends() -> None:
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.read(device.OVERLAY / "usr/lib/systemd/system/wordcam-enroll.service", encoding="utf-8")

    unit = parser["Service"]
    assert (unit["user"], unit["capabilityboundingset"]) == ("wordcam-send", "")


def test_the_program_of_the_image_is_what_a_device_runs() -> None:
    names = {path.name for path in program.packages()}

    assert names == {"contract", "edge", "foundation"}


def qemu_user_or_skip() -> None:
    if shutil.which(foreign.QEMU) is None:
        pytest.skip(f"{foreign.QEMU} is not installed (qemu-user-static)")


def test_a_program_of_the_image_that_fails_is_named(tmp_path: Path) -> None:
    qemu_user_or_skip()

    with pytest.raises(TryAgain, match="usr/bin/no-such of the image failed"):
        foreign.run(tmp_path, "usr/bin/no-such")


def test_packages_survive_being_kept(tmp_path: Path) -> None:
    (tmp_path / "packages.json").write_bytes(msgspec.json.encode(packages()))

    assert list(debian.load(tmp_path).packages) == packages()
