"""Okt (Open Korean Text) through KoNLPy (konlpy.org), for vocabularies that have to match older work."""

from collections.abc import Sequence
from typing import Any, Final
from unicodedata import normalize

from trainer.tokenizers.analyser import AnalyserMissing, Morpheme

BOUND: Final = frozenset({"Josa", "Eomi", "PreEomi", "Suffix"})


class Okt:
    """Okt in a Java virtual machine that ends with the process."""

    def __init__(self) -> None:
        """Start Java; raises `AnalyserMissing`."""
        try:
            from konlpy import tag  # noqa: PLC0415 - only this analyser needs it
        except ImportError as error:
            raise AnalyserMissing(f"the analyser `okt` needs KoNLPy: install wordcam[okt] ({error})") from error
        try:
            self._okt: Any = tag.Okt()
        except (OSError, ValueError) as error:  # JPype's JVMNotFoundException is a ValueError
            raise AnalyserMissing(f"the analyser `okt` needs Java 8 or newer ({error})") from error

    def read(self, sentence: str) -> tuple[str, Sequence[Morpheme]]:
        """Analyse a sentence; Okt returns pieces as they are written, whose positions follow from their order."""
        text = normalize("NFC", sentence)
        found, at = [], 0
        for form, kind in self._okt.pos(text) if text.strip() else []:
            start = text.find(form, at)
            if start >= 0:
                at = start + len(form)
                found.append(Morpheme(form, start, at, particle=kind == "Josa", bound=kind in BOUND))
        return text, found
