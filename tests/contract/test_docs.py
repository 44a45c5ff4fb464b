"""The generated documentation: fresh, complete, and refusing a field that nobody explained."""

from pathlib import Path

import msgspec
import pytest

from contract.docs import __main__ as docs
from contract.docs import fields, schemas

DOCS = Path(__file__).resolve().parents[2] / "docs"


def test_what_is_written_says_what_the_contract_says() -> None:
    assert docs.stale(DOCS) == [], "run `python -m contract.docs --write`"


def test_a_stale_page_is_found_and_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    docs.write(tmp_path)
    (tmp_path / "protocol.md").write_text("old")

    code = docs.main(["--check", "--folder", str(tmp_path)])

    assert code == 1
    assert capsys.readouterr().err == f"{tmp_path / 'protocol.md'} is stale: run `python -m contract.docs --write`\n"


def test_written_pages_are_fresh(tmp_path: Path) -> None:
    assert docs.main(["--write", "--folder", str(tmp_path)]) == 0

    assert docs.main(["--check", "--folder", str(tmp_path)]) == 0


@pytest.mark.parametrize("kind", schemas.KINDS.values(), ids=schemas.KINDS)
def test_every_field_of_every_message_has_a_row(kind: fields.Kind) -> None:
    page = "".join(docs.pages().values())

    for part in fields.structs(kind):
        for name in part.__struct_fields__:
            assert f"| `{name}` |" in page


class Unexplained(msgspec.Struct):
    """A struct with a field that has no text under it."""

    known: int
    """It has one."""
    silent: int


def test_a_field_without_a_text_under_it_stops_the_documentation() -> None:
    with pytest.raises(LookupError, match="Unexplained: no text stands under silent"):
        fields.table(Unexplained)
