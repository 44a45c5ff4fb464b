"""The model bundle: whole and as described, or refused with the file that is not."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contract import bundle, examples
from contract.bundle import MANIFEST, Detection, Input, Licence, Manifest, OwnCalm
from contract.errors import REASONS, Refused
from tests.contract.refusals import reason

FILES = {
    "encoder": "encoder.tflite",
    "detector": "detector.tflite",
    "decoder_init": "decoder_init.tflite",
    "decoder_step": "decoder_step.tflite",
    "vocabulary": "vocabulary.txt",
    "card": "CARD.md",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A bundle whose files hold their own names: whole, though no model could run from it."""
    for name in FILES.values():
        (tmp_path / name).write_text(name)
    manifest = Manifest(
        format=bundle.FORMAT,
        name="tiny",
        version="0.0.1",
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        language="en",
        input=Input(8, 8),
        files={role: bundle.describe(tmp_path / name) for role, name in FILES.items()},  # type: ignore[misc] # str is a Role
        detection=Detection(classes=("person",)),
        licences=(Licence("nothing", "public domain"),),
    )
    bundle.write(tmp_path, manifest)
    return tmp_path


def edit(folder: Path, **fields: Any) -> None:
    """Replace fields of the manifest; a value of None takes the field away."""
    path = folder / MANIFEST
    changed = {**json.loads(path.read_bytes()), **fields}
    path.write_text(json.dumps({name: value for name, value in changed.items() if value is not None}))


def files_of(folder: Path) -> dict[str, Any]:
    files: dict[str, Any] = json.loads((folder / MANIFEST).read_bytes())["files"]
    return files


def test_a_whole_bundle_is_read(folder: Path) -> None:
    manifest = bundle.load(folder)

    assert manifest.model == "tiny@0.0.1"
    assert manifest.files["vocabulary"].bytes == len("vocabulary.txt")


@pytest.mark.parametrize("name", FILES.values())
def test_one_changed_byte_is_found_and_named(folder: Path, name: str) -> None:
    (folder / name).write_text(name.upper().swapcase() + "?")

    with pytest.raises(Refused, match=rf"digest: .*{name}: SHA-256 is .*; copy the bundle again"):
        bundle.load(folder)


@pytest.mark.parametrize("name", FILES.values())
def test_a_file_that_is_not_there_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()

    with pytest.raises(Refused, match=rf"missing-file: .*{name}: No such file"):
        bundle.load(folder)


@pytest.mark.parametrize(
    "name",
    [
        "../encoder.tflite",
        "/etc/passwd",
        "a/b",
        "..",
        ".",
        ".hidden",
        "a\\b",
        "a\x00b",
        "encoder.tflite\n",
        "",
        "x" * 81,
    ],
)
def test_a_file_name_never_leaves_the_folder(folder: Path, name: str) -> None:
    files = files_of(folder)
    files["encoder"]["name"] = name
    edit(folder, files=files)

    with pytest.raises(Refused, match=r"schema: .*\$\.files"):
        bundle.load(folder)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("format", 2, "bundle format 2 is not 1"),
        ("name", "Tiny Model", r"\$\.name"),
        ("version", "1.0", r"\$\.version"),
        ("version", "1.0.0\n", r"\$\.version"),
        ("created_at", "2026-01-01", r"\$\.created_at"),
        ("language", "English", r"\$\.language"),
        ("input", {"height": 0, "width": 8}, r"\$\.input\.height"),
        ("licences", [], r"\$\.licences"),
        ("licences", None, "licences"),
        ("detection", None, "come together or not at all"),
        ("weights", "here", "weights"),
        ("decoding", {"beam_width": 100}, r"\$\.decoding\.beam_width"),
        ("own_calm", {"gun": {"floor": 0.2}}, "`own_calm` names 'gun', which is not among `evidence`"),
        ("own_calm", {"gun": {"floor": 0.2, "quantile": 1.0}}, r"\$\.own_calm"),
        ("motion", {"falls": {"gun": 2.0}}, "`motion` names 'gun', which is not among `evidence`"),
        ("motion", {"falls": {"gun": 0}}, r"\$\.motion\.falls"),
    ],
)
def test_a_manifest_that_does_not_keep_the_format_is_refused(folder: Path, field: str, value: Any, said: str) -> None:
    edit(folder, **{field: value})

    with pytest.raises(Refused, match=rf"schema: .*{MANIFEST}.*{said}"):
        bundle.load(folder)


def test_a_floor_above_the_threshold_that_it_lowers_is_refused(folder: Path) -> None:
    edit(folder, hazards={"gun": ["gun"]}, evidence={"gun": 0.5}, own_calm={"gun": {"floor": 0.6}})

    with pytest.raises(Refused, match=r"`own_calm\.gun\.floor` 0\.6 is above its `evidence` threshold"):
        bundle.load(folder)


def test_own_calm_is_read_where_it_is_given(folder: Path) -> None:
    edit(folder, hazards={"gun": ["gun"]}, evidence={"gun": 0.5}, own_calm={"gun": {"floor": 0.2}})

    assert bundle.load(folder).own_calm == {"gun": OwnCalm(floor=0.2, quantile=0.9995)}


def test_a_manifest_without_own_calm_does_not_mention_it(folder: Path) -> None:
    assert b"own_calm" not in (folder / MANIFEST).read_bytes()


def test_a_motion_head_of_another_size_is_refused(folder: Path) -> None:
    head = {"mean": [0.0] * 3, "spread": [1.0] * 3, "weights": [0.0] * 3, "bias": 0.0}
    edit(folder, hazards={"gun": ["gun"]}, evidence={"gun": 0.5}, motion={"flow": {"gun": head}})

    with pytest.raises(Refused, match=r"`motion\.flow\.gun` weighs 3 numbers, not 24"):
        bundle.load(folder)


def test_a_bundle_without_a_needed_file_says_which(folder: Path) -> None:
    files = files_of(folder)
    del files["decoder_step"]
    edit(folder, files=files)

    with pytest.raises(Refused, match="`files` names no decoder_step"):
        bundle.load(folder)


def test_a_bundle_without_a_detector_is_whole(folder: Path) -> None:
    files = files_of(folder)
    del files["detector"]
    edit(folder, files=files, detection=None)

    assert bundle.load(folder).detection is None


def test_a_folder_that_is_no_bundle_says_what_a_bundle_is(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=rf"missing-file: .*; a bundle is a folder with a {MANIFEST}"):
        bundle.load(tmp_path)


def test_a_manifest_of_a_megabyte_is_refused_unread(tmp_path: Path) -> None:
    (tmp_path / MANIFEST).write_bytes(b" " * (bundle.MAX_MANIFEST_BYTES + 1))

    with pytest.raises(Refused, match="too-large"):
        bundle.load(tmp_path)


@given(data=st.binary(max_size=200) | st.just(b"[" * 5000))
def test_any_manifest_is_refused_with_a_known_reason(data: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("bundle")
    (folder / MANIFEST).write_bytes(data)

    with pytest.raises(Refused) as refusal:
        bundle.load(folder)

    assert refusal.value.reason in REASONS
    assert MANIFEST in refusal.value.detail


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_manifest_with_one_field_replaced_is_read_or_refused(folder: Path, data: st.DataObject) -> None:
    path = folder / MANIFEST
    before = path.read_bytes()
    field = data.draw(st.sampled_from(sorted(json.loads(before))))
    edit(folder, **{field: data.draw(json_values)})

    found = reason(lambda: bundle.load(folder))
    path.write_bytes(before)

    assert found in (None, *REASONS)


def test_a_digest_with_a_line_feed_after_it_is_refused(folder: Path) -> None:
    files = files_of(folder)
    files["encoder"]["sha256"] += "\n"
    edit(folder, files=files)

    with pytest.raises(Refused, match=r"schema: .*\$\.files"):
        bundle.load(folder)


def test_the_example_of_the_documentation_is_a_complete_manifest() -> None:
    assert set(bundle.REQUIRED) <= set(examples.MANIFEST.files)
