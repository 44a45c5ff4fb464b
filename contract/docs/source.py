"""The text that stands under a field or a constant in the source, which Python does not keep at run time."""

import ast
import inspect
from itertools import pairwise
from types import ModuleType


def texts_under_fields(kind: type) -> dict[str, str]:
    """Return the text under each field of a class, on one line each."""
    return {name: text for node in _parsed(kind) if isinstance(node, ast.ClassDef) for name, text in _texts(node.body)}


def text_under(module: ModuleType, name: str) -> str:
    """Return the text under `name = ...` in a module, on one line; raises `LookupError` where there is none."""
    for found, text in _texts(_parsed(module)):
        if found == name:
            return text
    raise LookupError(f"{module.__name__}: no text stands under {name}")


def _parsed(what: type | ModuleType) -> list[ast.stmt]:
    return ast.parse(inspect.getsource(what)).body


def _texts(body: list[ast.stmt]) -> list[tuple[str, str]]:
    return [
        (name, " ".join(following.value.value.split()))
        for statement, following in pairwise(body)
        if isinstance(following, ast.Expr)
        and isinstance(following.value, ast.Constant)
        and isinstance(following.value.value, str)
        for name in _names(statement)
    ]


def _names(statement: ast.stmt) -> list[str]:
    targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
    return [target.id for target in targets if isinstance(target, ast.Name)]
