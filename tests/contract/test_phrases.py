"""Phrases and how rare they are: the file that holds them."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract import phrases, vocabulary
from contract.errors import Refused
from tests.contract.refusals import reason

WORDS = vocabulary.of(["a", "dog", "runs", "말"])
KNOWN = st.lists(st.integers(4, len(WORDS) - 1), min_size=1, max_size=phrases.LONGEST).map(tuple)


@given(rarities=st.dictionaries(KNOWN, st.floats(0, 15)))
def test_a_file_that_was_written_is_read_back_in_its_order(
    rarities: dict[phrases.Phrase, float], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("phrases") / "phrases.txt"
    path.write_text(phrases.dump(rarities, WORDS), encoding="utf-8")

    found = phrases.load(path, WORDS)

    assert list(found) == list(rarities)
    assert list(found.values()) == pytest.approx(list(rarities.values()), abs=1e-4)


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("1.5 a dog", id="no tab"),
        pytest.param("much\ta dog", id="no number"),
        pytest.param("-1\ta dog", id="below 0"),
        pytest.param("inf\ta dog", id="endless"),
        pytest.param("1.5\ta cat", id="a word that the vocabulary lacks"),
        pytest.param("1.5\t<start> a", id="a special"),
        pytest.param("1.5\t", id="no words"),
        pytest.param("1.5\ta dog runs a dog", id="five words"),
        pytest.param("1.5\ta  dog", id="two spaces"),
    ],
)
def test_a_line_at_fault_is_named_with_its_number(line: str, tmp_path: Path) -> None:
    path = tmp_path / "phrases.txt"
    path.write_text(f"0.1\ta\n{line}\n", encoding="utf-8")

    with pytest.raises(Refused, match=r"schema: .*phrases\.txt: line 2: .*1 to 4 words of the vocabulary"):
        phrases.load(path, WORDS)


def test_a_phrase_that_stands_twice_is_named(tmp_path: Path) -> None:
    path = tmp_path / "phrases.txt"
    path.write_text("1.0\ta dog\n0.5\tdog\n2.0\ta dog\n", encoding="utf-8")

    with pytest.raises(Refused, match="line 3: 'a dog' stands twice"):
        phrases.load(path, WORDS)


@given(data=st.binary(max_size=60))
def test_any_file_is_read_or_refused(data: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("phrases") / "phrases.txt"
    path.write_bytes(data)

    assert reason(lambda: phrases.load(path, WORDS)) in {None, "not-utf8", "schema"}


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"missing-file: .*phrases\.txt"):
        phrases.load(tmp_path / "phrases.txt", WORDS)
