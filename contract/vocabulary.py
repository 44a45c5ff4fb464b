"""The vocabulary: which word each token id stands for, in a text file of one word a line."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from contract import korean
from contract.errors import Refused

PAD: Final = 0
START: Final = 1
END: Final = 2
UNKNOWN: Final = 3
SPECIALS: Final = ("<pad>", "<start>", "<end>", "<unk>")
"""The first four lines of every vocabulary, in the order of their ids."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Words by id, and ids by word."""

    words: tuple[str, ...]
    ids: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.words[: len(SPECIALS)] != SPECIALS:
            raise Refused("schema", f"a vocabulary begins with the lines {' '.join(SPECIALS)}")
        ids = {word: number for number, word in enumerate(self.words)}
        if len(ids) != len(self.words):
            twice = next(word for number, word in enumerate(self.words) if ids[word] != number)
            raise Refused("schema", f"the word {twice!r} stands twice in the vocabulary")
        object.__setattr__(self, "ids", ids)

    def __len__(self) -> int:
        return len(self.words)

    def encode(self, words: Iterable[str]) -> list[int]:
        """Return the ids of words between START and END; a word that is not known becomes UNKNOWN."""
        return [START, *(self.ids.get(word, UNKNOWN) for word in words), END]

    def decode(self, tokens: Sequence[int]) -> list[str]:
        """Return the words of token ids up to the first END, without specials."""
        stop = next((at for at, token in enumerate(tokens) if token == END), len(tokens))
        return [self.words[token] for token in tokens[:stop] if token >= len(SPECIALS)]


def text(words: Iterable[str], language: str) -> str:
    """Write decoded words as a sentence: Korean ones as `contract.korean` joins them, all others with spaces."""
    return korean.join(words) if language == "ko" else " ".join(words)


def of(words: Iterable[str]) -> Vocabulary:
    """Build a vocabulary of the specials and then these words, in this order."""
    return Vocabulary((*SPECIALS, *words))


def dump(vocabulary: Vocabulary) -> str:
    """Return the text of a vocabulary file."""
    return "".join(f"{word}\n" for word in vocabulary.words)


def load(path: Path) -> Vocabulary:
    """Read a vocabulary file; raises `Refused` ("missing-file", "not-utf8", "schema") naming it."""
    return Vocabulary(tuple(lines(path)))


def parse(data: bytes, path: Path) -> Vocabulary:
    """Return the vocabulary that a file's bytes hold; raises `Refused` ("not-utf8", "schema") naming the file."""
    return Vocabulary(tuple(split(data, path)))


def lines(path: Path) -> list[str]:
    """Read a text file of one entry a line; raises `Refused` ("missing-file", "not-utf8") naming it."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise Refused("missing-file", f"{path}: {error.strerror}") from error
    return split(data, path)


def split(data: bytes, path: Path) -> list[str]:
    """Return the entries that the bytes of such a file hold; raises `Refused` ("not-utf8") naming it."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Refused("not-utf8", f"{path}: byte {error.start} is not UTF-8") from error
    text = text.replace("\r\n", "\n").replace("\r", "\n")  # as Python reads text files
    return text.removesuffix("\n").split("\n") if text else []
