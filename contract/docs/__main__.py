"""Write the generated documentation, or check that what is written is fresh: `python -m contract.docs --check`."""

import argparse
import sys
from pathlib import Path

from contract.docs import asyncapi, bundle, protocol, schemas


def pages() -> dict[str, str]:
    """Generate every file, by its path below the documentation folder."""
    files = {f"schema/{name}.json": schemas.text(kind) for name, kind in schemas.KINDS.items()}
    return {"protocol.md": protocol.text(), "bundle.md": bundle.text(), "asyncapi.json": asyncapi.text(), **files}


def stale(folder: Path) -> list[Path]:
    """List the files below the folder that are missing or say something else than the contract does."""
    return [path for path, text in _at(folder).items() if not path.is_file() or path.read_text("utf-8") != text]


def write(folder: Path) -> None:
    """Write every file below the folder."""
    for path, text in _at(folder).items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def _at(folder: Path) -> dict[Path, str]:
    return {folder / name: text for name, text in pages().items()}


def main(argv: list[str] | None = None) -> int:
    """Run the command line; returns 0, or 1 where `--check` finds a stale file."""
    parser = argparse.ArgumentParser(prog="python -m contract.docs", description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("docs"), help="where the files stand (default: docs)")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--write", action="store_true", help="write the files")
    what.add_argument("--check", action="store_true", help="name the files that are not fresh")
    given = parser.parse_args(argv)
    if given.write:
        write(given.folder)
        return 0
    found = stale(given.folder)
    for path in found:
        print(f"{path} is stale: run `python -m contract.docs --write`", file=sys.stderr)  # noqa: T201 - the command's answer
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
