"""YAML that PyYAML itself trips over is refused with one line, whichever program reads it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from broker.config import broker as broker_config
from broker.rules import compiler
from converter import config as converter_config
from edge import config as edge_config
from foundation.errors import Misconfigured
from trainer.data import caption_templates
from trainer.recipe import recipe

READERS: dict[str, Callable[[Path], object]] = {
    "broker.yaml": broker_config.load,
    "rules.yaml": compiler.load,
    "edge.yaml": edge_config.load,
    "trainer.yaml": recipe.load,
    "hazard-sentences.yaml": caption_templates.load,
    "converter.yaml": converter_config.load,
}

HOSTILE: dict[str, str | bytes] = {
    "a date that is none": "a: 2001-99-99\n",
    "a key that is a list": "? [a]\n: b\n",
    "a number without digits": "a: !!int ''\n",
    "a time that is none": "a: !!timestamp noon\n",
    "a list that holds itself": "rules: &a [*a]\nsites: *a\n",
    "an object that holds itself": "&a\nrules: *a\nmqtt: *a\ndata: *a\nlimits: *a\n",
    "endless nesting": "a: " + "[" * 5000,
    "code": "a: !!python/object/apply:os.system [true]\n",
    "a key that stands twice": "a: 1\na: 2\n",
    "half a character": b"a: \xc3\n",
    "nothing": "",
    "a word": "hello\n",
    "a NUL": "a: \x00\n",
}


AS_USUAL = {("rules.yaml", "nothing"), ("converter.yaml", "nothing")}
"""Files that need not say anything."""

PAIRS = [(name, hostile) for name in READERS for hostile in HOSTILE if (name, hostile) not in AS_USUAL]


@pytest.mark.parametrize(("name", "hostile"), PAIRS)
def test_it_is_refused_by_name(name: str, hostile: str, tmp_path: Path) -> None:
    text = HOSTILE[hostile]
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())

    with pytest.raises(Misconfigured, match=name):
        READERS[name](path)
