"""A program whose libraries are not installed names the extra, and hides no mistake of its own."""

import sys
from pathlib import Path

import pytest

from foundation import program


def module(folder: Path, name: str, text: str) -> str:
    (folder / f"{name}.py").write_text(text, encoding="utf-8")
    return name


def test_a_library_that_is_missing_is_named_with_the_extra_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    name = module(tmp_path, "needs_something", "import no_such_library.inner\n")

    with pytest.raises(SystemExit) as ended:
        program.run("wordcam-edge", name, extra="edge")

    assert ended.value.code == 78
    assert capsys.readouterr().err == (
        "wordcam-edge: the library no_such_library is not installed: pip install 'wordcam[edge]'\n"
    )


def test_a_library_that_is_missed_while_it_runs_is_named_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    name = module(tmp_path, "needs_something_later", "def console():\n    import no_such_library\n")

    with pytest.raises(SystemExit):
        program.run("wordcam-edge", name, extra="edge")


def test_a_module_of_our_own_that_is_missing_is_a_bug(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    name = module(tmp_path, "is_broken", "import edge.no_such_module\n")

    with pytest.raises(ModuleNotFoundError):
        program.run("wordcam-edge", name, extra="edge")
    sys.modules.pop(name, None)
