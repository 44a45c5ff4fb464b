"""Columns: many small records in a few flat arrays, a hundred bytes a record instead of a thousand as objects."""

from array import array
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


class StringColumn:
    """Strings end to end in one buffer."""

    def __init__(self) -> None:
        self._bytes, self._ends = bytearray(), array("Q", [0])

    def __len__(self) -> int:
        return len(self._ends) - 1

    def __getitem__(self, index: int) -> str:
        return self._bytes[self._ends[index] : self._ends[index + 1]].decode("utf-8", "surrogatepass")

    def append(self, text: str) -> None:
        """Add a string; a lone surrogate, which a JSON file may contain, is kept."""
        self._bytes += text.encode("utf-8", "surrogatepass")
        self._ends.append(len(self._bytes))


@dataclass(frozen=True, slots=True)
class Groups:
    """The entries of each row, in the order in which they were added."""

    order: npt.NDArray[np.intp]
    starts: npt.NDArray[np.intp]

    @classmethod
    def of(cls, owners: "array[int]", rows: int) -> "Groups":
        """Sort entries by the row that owns each."""
        flat = np.frombuffer(owners, np.uint32) if owners else np.empty(0, np.uint32)
        order = np.argsort(flat, kind="stable")
        return cls(order, np.searchsorted(flat[order], np.arange(rows + 1)))

    def __getitem__(self, row: int) -> npt.NDArray[np.intp]:
        return self.order[self.starts[row] : self.starts[row + 1]]
