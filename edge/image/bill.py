"""The bill of materials of an image (CycloneDX 1.6, JSON), and the packages by size."""

import uuid
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote

import msgspec

from contract import release
from edge.image import recipe
from edge.image.debian import Package
from edge.image.wheelhouse import Wheel

Json = dict[str, object]


def render(packages: Sequence[Package], wheels: Sequence[Wheel], models: Sequence[Path], *, epoch: int) -> bytes:
    """Return the bill; the same parts give the same bytes."""
    components = [*_packages(packages), *_wheels(wheels), *_models(models)]
    names = "".join(str(one["bom-ref"]) for one in components)
    tree: Json = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, names)}",
        "version": 1,
        "metadata": {
            "timestamp": datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "component": {
                "type": "firmware",
                "bom-ref": "wordcam-image",
                "name": "wordcam-image",
                "version": release.VERSION,
                "licenses": [{"license": {"name": "Apache-2.0 AND LicenseRef-wordcam-1-research-only"}}],
            },
        },
        "components": components,
    }
    return msgspec.json.format(msgspec.json.encode(tree))


def listing(packages: Iterable[Package]) -> str:
    """Return a line for each package, the largest first: KiB, name, version, digest of its file."""
    ordered = sorted(packages, key=lambda package: (-package.installed_kib, package.name))
    return "".join(f"{one.installed_kib:8} {one.name} {one.version} {one.sha256}\n" for one in ordered)


def _packages(packages: Iterable[Package]) -> Iterator[Json]:
    for one in packages:
        where = f"arch={one.architecture}&distro={recipe.SUITE}"
        purl = f"pkg:deb/debian/{quote(one.name)}@{quote(one.version)}?{where}"
        yield _component((one.name, one.version), purl, one.sha256, one.licences)


def _wheels(wheels: Iterable[Wheel]) -> Iterator[Json]:
    for one in wheels:
        digest = sha256(one.path.read_bytes()).hexdigest()
        licences = (one.licence,) if one.licence else ()
        yield _component((one.name, one.version), f"pkg:pypi/{one.name}@{one.version}", digest, licences)


def _models(models: Iterable[Path]) -> Iterator[Json]:
    for folder in models:
        manifest = (folder / "manifest.json").read_bytes()
        version = str(msgspec.json.decode(manifest).get("version", ""))
        purl = f"pkg:generic/{folder.name}@{version}"
        digest = sha256(manifest).hexdigest()
        licence = ("LicenseRef-wordcam-1-research-only",)
        yield _component((folder.name, version), purl, digest, licence) | {"type": "machine-learning-model"}


def _component(named: tuple[str, str], purl: str, digest: str, licences: Iterable[str]) -> Json:
    return {
        "type": "library",
        "bom-ref": purl,
        "name": named[0],
        "version": named[1],
        "purl": purl,
        "hashes": [{"alg": "SHA-256", "content": digest}],
        "licenses": [{"license": {"name": licence}} for licence in licences],
    }
