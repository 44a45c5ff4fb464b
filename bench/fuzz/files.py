"""Decoders of files that people write or fetch."""

import pickle
import zipfile
from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path
from typing import Final

from bench.accuracy.alarms import ROOT
from bench.fuzz.decoder import Decoder, Read, of_file, refusing
from broker.config import broker as broker_config
from broker.rules import compiler
from converter import config as converter_config
from edge import config as edge_config
from foundation.errors import Misconfigured
from trainer.data.formats import captions as datasets
from trainer.data.quality.issues import Findings, Notes
from trainer.errors import DataError
from trainer.models import torch_weights
from trainer.recipe import recipe
from trainer.recipe.data import Captions

CONFIG: Final = ROOT / "config"

RULES: Final = b"""\
lists: {pet: [dog, cat], animal: [<pet>, horse]}
unless: [toy]
rules:
  - {name: gun, severity: critical, says: [<pet> ... gun, =smoke, fire|flame, '/h(y|i)dr/'], except: [water gun]}
  - name: fall
    danger: fall
    severity: warning
    says: [person fall]
    hazards: {fall: 0.5}
    labels: {person: {count: 2, score: 0.5}}
    seen: {times: 3, of: 5, within_seconds: 10}
    when: [mon-fri 22:00-06:00]
"""

COCO: Final = b'{"images": [{"id": 1, "file_name": "a.jpg"}], "annotations": [{"image_id": 1, "caption": "a man"}]}'
TABLE: Final = b'file,caption,split\na.jpg,a man walks,train\nb.jpg,"a dog, a cat",val\n'
FLICKR: Final = b"a.jpg#0\ta man walks\na.jpg#1\ta dog runs\n"
AIHUB: Final = '[{"file_path": "a.jpg", "captions": ["a man"], "caption_ko": ["한 남자"]}]'.encode()


def _file(name: str, read: Callable[[Path], object], seeds: Sequence[bytes], *errors: type[Exception]) -> Decoder:
    return Decoder(name, lambda: (refusing(of_file(read, name), *errors), seeds), 1)


def _yaml(name: str, read: Callable[[Path], object], error: type[Exception]) -> Decoder:
    lines = (CONFIG / name).read_text(encoding="utf-8").splitlines()
    bare = "\n".join(line.partition(" #")[0] for line in lines if line.strip() and not line.lstrip().startswith("#"))
    return _file(name, read, [bare.encode()], error)


def _dataset(path: Path) -> list[object]:
    source = Captions(name="set", images=path.parent, train=path, val=path.with_name("other"))
    return list(datasets.read(source, "train", Notes(Findings(), "set train")))


def _weights() -> tuple[Read, Sequence[bytes]]:
    archive = BytesIO()
    with zipfile.ZipFile(archive, "w") as written:
        written.writestr("archive/data.pkl", pickle.dumps({}))
    legacy = pickle.dumps(torch_weights.MAGIC) + pickle.dumps(1001) + pickle.dumps({}) + pickle.dumps({})
    legacy += pickle.dumps([])
    hostile = b"cos\nsystem\n(S'true'\ntR."
    return refusing(of_file(torch_weights.read, "weights.pth"), DataError), [archive.getvalue(), legacy, hostile]


DECODERS: Final = (
    _file("rules.yaml", compiler.load, [RULES], Misconfigured),
    _yaml("broker.yaml", broker_config.load, Misconfigured),
    _yaml("edge.yaml", edge_config.load, Misconfigured),
    _yaml("trainer.yaml", recipe.load, Misconfigured),
    _yaml("converter.yaml", converter_config.load, Misconfigured),
    _file("captions-data-set", _dataset, [COCO, TABLE, FLICKR, AIHUB], DataError),
    Decoder("torch-weights", _weights, 1),
)
"""Configuration, rules, recipes, data sets and weights."""
