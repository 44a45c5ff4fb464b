"""This very program and its libraries as they lie in an image, below /opt/wordcam."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import contract
import edge
import foundation
from edge.image import foreign, recipe, wheelhouse
from edge.image.wheelhouse import Wheel

HOME: Final = "opt/wordcam"

COMPILED: Final = (
    "ai_edge_litert",
    "av",
    "cryptography",
    "cv2",
    "msgspec",
    "numpy",
    "paho",
    "pyrage",
    "securesystemslib",
    "tuf",
    "urllib3",
    "yaml",
)
"""Libraries that a device imports, compiled for a read-only root."""

_STARTER: Final = """\
#!/opt/wordcam/bin/python -I
from edge.__main__ import console

console()
"""

DROP_INS: Final = tuple(f"wordcam-{process}.service.d/image.conf" for process in ("look", "send", "pull"))

_UNWANTED: Final = ("edge/image/root/", "edge/image/units/", "edge/image/wheels")
"""What a device itself never does."""


def packages() -> Iterator[Path]:
    """Yield the folders of the packages that a device runs, as they are installed here."""
    for package in (contract, edge, foundation):
        yield Path(package.__path__[0])


def libraries(python: str = recipe.PYTHON) -> str:
    """Return where the libraries lie in a root, with a Python of that version."""
    return f"{HOME}/lib/python{python}/site-packages"


def build_libraries(root: Path, wheels: list[Wheel], to: Path) -> None:
    """Unpack and compile the libraries in an empty folder, by the Python of a root."""
    folder = to / "site-packages"
    wheelhouse.unpack(wheels, folder)
    for name in COMPILED:
        where = f"/{libraries()}/{name}"
        foreign.compile_python(root, folder / name, python=recipe.PYTHON, inside=where)


def install(root: Path, kept: Path, python_root: Path) -> None:
    """Put program, libraries (of `kept`) and model into a root, compiled by the Python of `python_root`."""
    folder = root / libraries()
    folder.parent.mkdir(parents=True)
    shutil.copytree(kept / "site-packages", folder, copy_function=_link)
    write(root, recipe.PYTHON)
    for package in packages():
        where = f"/{libraries()}/{package.name}"
        foreign.compile_python(python_root, folder / package.name, python=recipe.PYTHON, inside=where)


def write(root: Path, python: str, *, with_system: bool = False) -> None:
    """Write the program, its starter and its environment into a root.

    `with_system` lets it import the system's own packages too, such as picamera2.
    """
    home, folder = root / HOME, root / libraries(python)
    (home / "bin").mkdir(parents=True, exist_ok=True)
    (home / "bin/python").symlink_to(f"/usr/bin/python{python}")
    starter = home / "bin/wordcam-edge"
    starter.write_text(_STARTER, encoding="utf-8")
    starter.chmod(0o755)
    (home / "pyvenv.cfg").write_text(
        f"home = /usr/bin\ninclude-system-site-packages = {str(with_system).lower()}\nversion = {python}\n",
        encoding="utf-8",
    )
    for package in packages():
        for path in recipe.files_of(package):
            name = f"{package.name}/{path.relative_to(package)}"
            if not name.startswith(_UNWANTED):
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, folder / name)


def _link(source: str, target: str) -> None:
    Path(target).hardlink_to(source)
