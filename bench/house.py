"""Measures how the source is laid out and worded: `python -m bench.house [--tree DIR]` prints a Markdown table."""

import argparse
import ast
import itertools
import re
import statistics
import sys
import tokenize
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]

PACKAGES: Final = ("contract", "foundation", "edge", "broker", "trainer", "converter", "demo", "bench", "testing")

NAMES: Final = frozenset(
    {
        *("duty", "rollcall", "desk", "reception", "letters", "held", "pulse"),
        *("standing", "teller", "lessons", "albums", "twins", "closer", "flights"),
    }
)
"""Words of the former dialect that no identifier has, as a whole word of it (`on_duty`, `RollCall`)."""

STANDARD_TERMS: Final = frozenset({"held_out", "standing_by"})
"""Names that hold such a word and are standard terms."""

PROSE: Final = re.compile(
    r"\b(?:on duty|off duty|the rounds|roll call|reception|is told|are told|was told|were told|"
    r"be told|whoever|what remains of|the desk|twins|albums|lessons)\b"
    r"|(?<!there )\b(?:is|are) no (?!longer)[a-z]|^Gives? ",
    re.IGNORECASE | re.MULTILINE,
)
"""Turns of phrase of the former dialect, in docstrings and comments."""


@dataclass(frozen=True, slots=True)
class Module:
    """One file of a package: its dotted name, its path and its syntax tree."""

    name: str
    path: Path
    tree: ast.Module

    @property
    def lines(self) -> int:
        """Number of lines of the file."""
        return len(self.path.read_text(encoding="utf-8").splitlines())


def modules(root: Path, package: str) -> list[Module]:
    """Read every module of a package, migrations excluded, which are history."""
    found = []
    for path in sorted((root / package).rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        if "migrations" not in parts:
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            found.append(Module(name, path, ast.parse(path.read_text(encoding="utf-8"))))
    return found


def functions(module: Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Yield every function and method of a module."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return the lines of a function, its signature and docstring included."""
    return (function.end_lineno or function.lineno) - function.lineno + 1


def dialect(module: Module) -> list[str]:
    """List the words and turns of the former dialect in a module, as `line: word`."""
    found = [
        f"{line}: {name}"
        for name, line in _names(module.tree)
        if NAMES & set(_words(name)) and name not in STANDARD_TERMS
    ]
    for line, text in _prose(module.path):
        found += [f"{line}: {match[0].strip()}" for match in PROSE.finditer(text)]
    return found


def _names(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Yield what a module names, with lines; uses of names from elsewhere are not counted."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield node.name, node.lineno
            case ast.Name(ctx=ast.Store()):
                yield node.id, node.lineno
            case ast.arg():
                yield node.arg, node.lineno


@cache
def _words(name: str) -> tuple[str, ...]:
    """Split an identifier: `RollCall` and `roll_call` are both `roll`, `call` and `rollcall`."""
    parts = tuple(part.lower() for part in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name))
    return (*parts, *(first + second for first, second in itertools.pairwise(parts)))


def _prose(path: Path) -> Iterator[tuple[int, str]]:
    """Yield comments, and strings that stand alone or run over lines: docstrings; with their lines."""
    with path.open("rb") as file:
        for token in tokenize.tokenize(file.readline):
            if token.type == tokenize.COMMENT:
                yield token.start[0], token.string
            elif token.type == tokenize.STRING and token.string.startswith(('"""', 'r"""')):
                yield token.start[0], token.string.strip('r"')


def imports(found: Sequence[Module]) -> dict[str, set[str]]:
    """Map each module to those of the same package that it imports, also inside functions."""
    names = {module.name for module in found}
    graph: dict[str, set[str]] = {name: set() for name in names}
    for module in found:
        for node in ast.walk(module.tree):
            match node:
                case ast.ImportFrom(module=str(origin)):
                    wanted = {f"{origin}.{alias.name}" for alias in node.names}
                    graph[module.name] |= {name if name in names else origin for name in wanted} & names
                case ast.Import():
                    graph[module.name] |= {alias.name for alias in node.names} & names
        graph[module.name].discard(module.name)
    return graph


def rooms(graph: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """Fold an import graph to the folders and files directly inside the package."""

    def room(name: str) -> str:
        return ".".join(name.split(".")[:2])

    folded: dict[str, set[str]] = {}
    for name, targets in graph.items():
        folded.setdefault(room(name), set()).update(room(target) for target in targets)
    return {name: targets - {name} for name, targets in folded.items()}


def depth(graph: Mapping[str, set[str]]) -> tuple[int, list[list[str]]]:
    """Return the number of floors of a graph, circles counted as one, and the circles."""
    circles = _components(graph)
    of = {name: number for number, circle in enumerate(circles) for name in circle}

    @cache
    def floor(number: int) -> int:
        below = {of[target] for name in circles[number] for target in graph[name]} - {number}
        return 1 + max(map(floor, below), default=0)

    return max(map(floor, range(len(circles))), default=0), [circle for circle in circles if len(circle) > 1]


def _components(graph: Mapping[str, set[str]]) -> list[list[str]]:
    """Split a graph into its strongly connected components (names that reach each other)."""

    @cache
    def reach(name: str) -> frozenset[str]:
        seen: set[str] = set()
        ahead = [name]
        while ahead:
            new = graph[ahead.pop()] - seen
            seen |= new
            ahead += new
        return frozenset(seen)

    left, found = sorted(graph), []
    while left:
        first = left[0]
        circle = [name for name in left if name == first or (name in reach(first) and first in reach(name))]
        found.append(circle)
        left = [name for name in left if name not in circle]
    return found


@dataclass(frozen=True, slots=True)
class Row:
    """The figures of one package."""

    package: str
    modules: int
    rooms: int
    fullest: int
    """Modules in the fullest folder."""
    floors: int
    """Folder-level import depth."""
    deep: int
    """File-level import depth."""
    circles: int
    """Folder-level import circles."""
    file_lines: str
    """Median and most."""
    function_lines: str
    typed: float
    """Share of functions with a return type."""
    any: int
    """Uses of `Any`."""
    words: int
    """Words and turns of the former dialect."""


def row(root: Path, package: str) -> Row:
    """Measure one package."""
    found = modules(root, package)
    graph = imports(found)
    inside = rooms(graph)
    sizes = [module.lines for module in found]
    defined = [function for module in found for function in functions(module)]
    lengths = [length(function) for function in defined]
    folders = [module.path.parent for module in found if module.path.name != "__init__.py"]
    floors, circles = depth(inside)
    return Row(
        package,
        len(folders),
        len(inside.keys() - {package}),
        max(map(folders.count, folders), default=0),
        floors,
        depth(graph)[0],
        len(circles),
        f"{statistics.median(sizes):.0f} / {max(sizes)}",
        f"{statistics.median(lengths):.0f} / {max(lengths)}",
        sum(function.returns is not None for function in defined) / len(defined),
        sum(_is_any(node) for module in found for node in ast.walk(module.tree)),
        sum(len(dialect(module)) for module in found),
    )


def _is_any(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and node.id == "Any"


HEAD: Final = (
    "package", "modules", "rooms", "fullest folder", "floors", "files deep", "circles",
    "file lines, median / most", "function lines, median / most", "typed returns", "`Any`", "dialect words",
)  # fmt: skip


def table(rows: Sequence[Row]) -> str:
    """Draw the rows as Markdown."""
    lines = [HEAD, ["---"] * len(HEAD)]
    for one in rows:
        cells = (one.package, one.modules, one.rooms, one.fullest, one.floors, one.deep, one.circles)
        rest = (one.file_lines, one.function_lines, f"{one.typed:.0%}", one.any, one.words)
        lines.append([str(cell) for cell in (*cells, *rest)])
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.house", description=(__doc__ or "").partition(":")[0] + ".")
    parser.add_argument("--tree", type=Path, default=ROOT, metavar="DIR", help="a source tree; this one by default")
    parser.add_argument("--words", action="store_true", help="list the words of the former dialect instead")
    options = parser.parse_args(argv)
    here = [name for name in PACKAGES if (options.tree / name / "__init__.py").is_file()]
    if options.words:
        for module in (module for name in here for module in modules(options.tree, name)):
            for word in dialect(module):
                print(f"{module.path.relative_to(options.tree)}:{word}")
    else:
        print(table([row(options.tree, name) for name in here]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
