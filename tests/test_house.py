"""The rules of the house: who may import what, in the source and in a fresh interpreter, and how long a file is."""

import ast
import itertools
import pkgutil
import subprocess
import sys
from collections.abc import Sequence
from importlib import import_module

import grimp
import pytest

from tests.house import ROOT, SERVICES, STARTERS, sources

DOORS = {
    "cv2": {
        "edge": "edge.look.camera edge.infer.image",
        "trainer": "trainer.data.example trainer.hazards.features trainer.hazards.bad_pictures trainer.hazards.lights",
    },
    "av": {"edge": "edge.look.camera.video"},
    "picamera2": {"edge": "edge.look.camera.picamera"},
    "ai_edge_litert": {"edge": "edge.infer.runtime", "converter": "converter.tflite.inspect"},
    "tflite_runtime": {"edge": "edge.infer.runtime"},
    "kiwipiepy": {"trainer": "trainer.tokenizers.kiwi"},
    "konlpy": {"trainer": "trainer.tokenizers.okt"},
    "yaml": {
        "foundation": "foundation.yaml_file",
        "broker": "broker.notify.translation.korean.lexicon broker.web.pages.rules",
    },
    "paho": {"edge": "edge.send.mqtt"},
    "gpiozero": {"edge": "edge.signal.gpio"},
    "mqtt5": {"broker": "broker.ingest.mqtt"},
    "litestar": {"broker": "broker.web"},
    "uvicorn": {"broker": "broker.web.server broker.web.http_protocol"},
    "cryptography": {
        "broker": "broker.ingest.enrolment broker.ingest.rollout.keys",
        "edge": "edge.enrolment edge.image.signing",
    },
    "pyrage": {"edge": "edge.evidence.sealing"},
    "tuf": {"broker": "broker.ingest.rollout.repository", "edge": "edge.update.fetcher edge.update.repository"},
    "argon2": {"broker": "broker.web.accounts.passwords"},
    "zxcvbn": {"broker": "broker.web.accounts.passwords"},
    "psycopg": {"broker": "broker.store.postgresql"},
    "twilio": {"broker": "broker.notify.senders.twilio broker.web.webhooks.twilio"},
    "apprise": {"broker": "broker.notify.senders.apprise"},
    "httpx": {"broker": "broker.monitor.ping broker.notify.senders.solapi broker.notify.translation.http"},
    "prometheus_client": {"broker": "broker.monitor"},
}
"""The modules that may import a heavy library directly, each package's own; nobody else may."""

NEVER = {
    "foundation": {"numpy", "cv2", "tensorflow", "keras", "paho", "sqlalchemy", "twilio", "nltk", "rich", "contract"},
    "contract": {
        "foundation",
        "numpy",
        "cv2",
        "tensorflow",
        "keras",
        "paho",
        "yaml",
        "sqlalchemy",
        "twilio",
        "nltk",
        "rich",
    },
    "edge": {"tensorflow", "keras", "nltk", "sqlalchemy", "twilio", "broker", "trainer", "converter"},
    "trainer": {"paho", "twilio", "sqlalchemy", "edge", "broker", "converter", "contract.caption", "contract.topics"},
    "converter": {"paho", "twilio", "sqlalchemy", "broker", "contract.caption", "contract.topics"},
    "broker": {
        "numpy",
        "cv2",
        "tensorflow",
        "keras",
        "ai_edge_litert",
        "edge",
        "trainer",
        "converter",
        "contract.bundle",
    },
}
"""What is not in memory after every module of a package has been imported."""

SEES_AS_THE_DEVICE = ("trainer.hazards", "trainer.captions")
"""The part of the trainer that runs the device's own encoder and crops."""

HEAVY = {"alembic", "httpx", "litestar", "nltk", "numpy", "rich", "scipy", "sqlalchemy", "twilio", "uvicorn"}
"""What `wordcam-broker --help` does not wait for; `init`, `leader` and the others import what they work with."""

LONGEST_FUNCTION = 50
"""Lines; what a file's length asks for, a second look, is advice: CONTRIBUTING.md."""


def modules_of(package: str) -> list[str]:
    """Name every module of a package that can be imported by itself: scripts and migrations are not."""
    found = [package]
    for module in pkgutil.walk_packages(import_module(package).__path__, f"{package}."):
        if "migrations" not in module.name and not module.name.endswith("__main__"):
            found.append(module.name)
    return found


def loaded_by(*modules: str) -> set[str]:
    """Import modules in a fresh interpreter and return the name of everything that is in its memory then."""
    script = f"""
import sys
for name in {modules!r}:
    __import__(name)
print(*sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.splitlines()[-1].split())


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    """Who imports whom in the source, lazy imports inside functions included."""
    return grimp.build_graph(*SERVICES, *STARTERS, include_external_packages=True, cache_dir=None)


def test_the_import_rules_hold() -> None:
    script = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, check=False)

    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("library", DOORS)
def test_a_heavy_library_comes_in_through_its_door_alone(graph: grimp.ImportGraph, library: str) -> None:
    importers = graph.find_modules_that_directly_import(library) if library in graph.modules else set()
    allowed = tuple(door for doors in DOORS[library].values() for door in doors.split())
    beside = {name for name in importers if name.startswith(SERVICES) and not _stands_in(name, allowed)}

    assert beside == set()


@pytest.mark.parametrize("package", SERVICES)
def test_a_package_never_brings_what_is_foreign_to_it(package: str) -> None:
    loaded = loaded_by(*(module for module in modules_of(package) if not _stands_in(module, SEES_AS_THE_DEVICE)))

    assert loaded & NEVER[package] == set()


def test_the_classifier_of_dangers_brings_the_devices_eye_and_no_more_of_it() -> None:
    loaded = loaded_by(*(module for module in modules_of("trainer") if _stands_in(module, SEES_AS_THE_DEVICE)))

    assert loaded & NEVER["trainer"] <= {"edge", "contract.caption"}
    assert not {"edge.send", "edge.outbox", "edge.look.camera", "paho"} & loaded


@pytest.mark.parametrize("package", [*SERVICES, *STARTERS])
def test_no_folder_of_a_package_imports_in_a_circle(graph: grimp.ImportGraph, package: str) -> None:
    rooms = sorted(graph.find_children(package))
    arrows = [(one, other) for one, other in itertools.permutations(rooms, 2) if _imports(graph, one, other)]

    assert _on_a_circle(arrows) == set()


def test_the_alert_services_configuration_imports_no_feature(graph: grimp.ImportGraph) -> None:
    imported = {
        name
        for module in {"broker.config", *graph.find_descendants("broker.config")}
        for name in graph.find_modules_directly_imported_by(module)
        if name.startswith(SERVICES)
    }

    assert {name for name in imported if not name.startswith(("broker.config", "contract", "foundation"))} == set()


def test_contract_brings_nothing_but_msgspec() -> None:
    foreign = loaded_by(*modules_of("contract")) - loaded_by("msgspec", "msgspec.inspect", "msgspec.json")
    roots = {name.partition(".")[0] for name in foreign}

    assert roots - sys.stdlib_module_names == {"contract"}


def test_foundation_brings_nothing_but_msgspec_and_yaml() -> None:
    foreign = loaded_by(*modules_of("foundation")) - loaded_by("msgspec", "msgspec.inspect", "msgspec.json", "yaml")
    roots = {name.partition(".")[0] for name in foreign}

    assert roots - sys.stdlib_module_names == {"foundation"}


def test_the_sending_process_of_the_device_knows_no_picture() -> None:
    assert (
        loaded_by("edge.send.publisher")
        & {"cv2", "numpy", "ai_edge_litert", "tflite_runtime", "edge.look.camera", "edge.infer"}
        == set()
    )


def test_the_process_with_a_network_camera_has_no_numpy_unless_its_pictures_are_turned_or_masked() -> None:
    loaded = loaded_by("edge.service", "edge.pull.puller", "edge.look.camera.frame_ring", "edge.look.camera.rtsp")

    assert "av" in loaded
    assert loaded & {"cv2", "numpy"} == set()


def test_the_looking_process_of_the_device_knows_no_network() -> None:
    assert loaded_by("edge.look.capture_loop") & {"paho", "ssl", "http.client", "edge.send.mqtt"} == set()


NOT_FIELDS = {"time", "level", "logger", "process", "event", "traceback", "why", "because", "cause", "error"}
"""Keys of every log line, which a field cannot take, and other words for its `reason`."""


def test_a_log_line_calls_a_reason_a_reason_and_leaves_the_common_keys_alone() -> None:
    wrong = {
        f"{path.relative_to(ROOT)}:{key.lineno}: {key.value}"
        for path in sources()
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call)
        for argument in call.keywords
        if argument.arg == "extra" and isinstance(argument.value, ast.Dict)
        for key in argument.value.keys
        if isinstance(key, ast.Constant) and key.value in NOT_FIELDS
    }

    assert wrong == set()


def test_no_function_is_too_long_to_read() -> None:
    long = {
        f"{path.relative_to(ROOT)}:{node.name}"
        for path in sources()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno >= LONGEST_FUNCTION
    }

    assert long == set()


def _imports(graph: grimp.ImportGraph, one: str, other: str) -> bool:
    return bool(graph.direct_import_exists(importer=one, imported=other, as_packages=True))


def _on_a_circle(arrows: Sequence[tuple[str, str]]) -> set[str]:
    """Return the rooms that are left when those without an arrow in or out are taken away, again and again."""
    left = list(arrows)
    while True:
        starts, ends = {one for one, _ in left}, {other for _, other in left}
        inner = [(one, other) for one, other in left if one in ends and other in starts]
        if len(inner) == len(left):
            return starts | ends
        left = inner


def _stands_in(name: str, packages: tuple[str, ...]) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)
