"""What the documents promise: commands that exist, files that are there, links that lead somewhere."""

import importlib
import io
import re
import subprocess
import sys
from contextlib import redirect_stdout
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

PAGES = sorted(
    page
    for folder in (ROOT, ROOT / "docs", ROOT / "docs" / "adr", *(ROOT / "models").glob("*"))
    for page in folder.glob("*.md")
)

MODULES = {
    "wordcam-edge": "edge.cli",
    "wordcam-broker": "broker.cli.main",
    "wordcam-train": "trainer.cli",
    "wordcam-convert": "converter.cli",
}

NESTED = {"evidence", "image", "rules", "user", "dead", "silence", "models"}
"""Verbs that have verbs of their own."""

_LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)(?:#[^)]*)?\)")
_COMMAND = re.compile(rf"\b({'|'.join(MODULES)}) ([^`|#\n]*)")
_TARGET = re.compile(r"\bmake ([a-z][a-z-]+)")
_PATH = re.compile(r"`((?:config|deploy|docs|models|contract|edge|broker|trainer|converter|demo|tests)/[\w./-]*)`")


def title(page: Path) -> str:
    return str(page.relative_to(ROOT))


def code_of(page: Path) -> str:
    """Return what stands in code, in blocks and in lines."""
    text = page.read_text(encoding="utf-8")
    return "\n".join(re.findall(r"```.*?\n(.*?)```", text, re.DOTALL) + re.findall(r"`([^`\n]+)`", text))


@cache
def helped(program: str, *verbs: str) -> str:
    """Return the `--help` of a verb; fails where there is no such verb."""
    output = io.StringIO()
    with redirect_stdout(output), pytest.raises(SystemExit) as ended:
        importlib.import_module(MODULES[program]).main([*verbs, "--help"])
    assert ended.value.code == 0, f"{program} {' '.join(verbs)}"
    return output.getvalue()


@pytest.mark.parametrize("page", PAGES, ids=title)
def test_every_link_leads_somewhere(page: Path) -> None:
    links = _LINK.findall(re.sub(r"`[^`\n]+`", "", page.read_text(encoding="utf-8")))

    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=title)
def test_every_path_of_the_repository_is_there(page: Path) -> None:
    paths = _PATH.findall(page.read_text(encoding="utf-8"))

    assert [path for path in paths if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=title)
def test_every_make_target_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))

    assert set(_TARGET.findall(code_of(page))) - targets == set()


@pytest.mark.parametrize("page", PAGES, ids=title)
def test_every_command_and_option_exists(page: Path) -> None:
    for program, rest in _COMMAND.findall(code_of(page)):
        words = rest.split()
        verbs = words[: 2 if words and words[0] in NESTED else 1]
        help_text = helped(program, *(verb for verb in verbs if re.fullmatch("[a-z][a-z-]*", verb)))

        assert [word for word in words if word.startswith("--") and word.partition("=")[0] not in help_text] == []


@pytest.mark.parametrize("program", MODULES)
def test_each_program_starts_and_shows_its_help(program: str) -> None:
    command = [sys.executable, "-c", f"from {MODULES[program]} import console; console()", "--help"]

    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)

    assert (done.returncode, done.stderr) == (0, "")
    assert program in done.stdout


def test_the_korean_readme_names_the_same_commands_as_the_english_one() -> None:
    english, korean = (
        sorted(set(_COMMAND.findall(code_of(ROOT / name))) | set(_TARGET.findall(code_of(ROOT / name))), key=str)
        for name in ("README.md", "README.ko.md")
    )

    assert korean == english
