"""What stands around the code: workflows and forms that can be read, targets that exist, versions that agree."""

import re
import tomllib
from datetime import date
from pathlib import Path

import pytest
import yaml

from contract import release
from tests.conftest import REPOSITORY

FORMS = sorted(path for pattern in (".github/**/*.yml", ".pre-commit-config.yaml") for path in REPOSITORY.glob(pattern))


def targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):", (REPOSITORY / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


def pins() -> dict[str, str]:
    lines = (REPOSITORY / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return dict(line.split("==") for line in lines if line and not line.startswith("#"))


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.name)
def test_it_is_yaml_and_names_targets_that_exist(path: Path) -> None:
    text = path.read_text(encoding="utf-8")

    assert isinstance(yaml.safe_load(text), dict)
    assert set(re.findall(r"run: make ([a-z-]+)", text)) <= targets()


def test_every_issue_form_has_what_the_site_asks_for() -> None:
    for path in (REPOSITORY / ".github" / "ISSUE_TEMPLATE").glob("*.yml"):
        form = yaml.safe_load(path.read_text(encoding="utf-8"))
        if path.name != "config.yml":
            assert {"name", "description", "body"} <= form.keys()
            assert all(part["type"] in {"markdown", "input", "textarea", "dropdown"} for part in form["body"])


def test_every_package_that_an_extra_names_has_a_version_in_the_constraints() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    left_out = {"tflite-runtime", "okt", "meteor"}  # for Python 3.11 alone, or with Java
    asked = [*project["dependencies"], *(line for extra in extras if extra not in left_out for line in extras[extra])]
    names = {re.split(r"[\[<>=;~ ]", line)[0].lower().replace("_", "-") for line in asked} - {"wordcam"}

    assert names - pins().keys() == set()


def test_the_constraints_name_versions_and_no_addresses() -> None:
    for name, version in pins().items():
        assert re.fullmatch(r"[a-z0-9-]+", name)
        assert re.fullmatch(r"[0-9][0-9A-Za-z.+]*", version)


def test_the_security_policy_names_the_support_period_that_the_programs_show() -> None:
    minor = ".".join(release.VERSION.split(".")[:2])

    assert f"| {minor} | {release.SUPPORTED_UNTIL.isoformat()} |" in (REPOSITORY / "SECURITY.md").read_text(
        encoding="utf-8"
    )


def test_the_support_period_is_at_least_twelve_months_from_the_release() -> None:
    changelog = (REPOSITORY / "CHANGELOG.md").read_text(encoding="utf-8")
    found = re.search(rf"^## \[{re.escape(release.VERSION)}\] - (\S+)$", changelog, re.MULTILINE)

    assert found is not None
    assert (release.SUPPORTED_UNTIL - date.fromisoformat(found[1])).days >= 365


def test_the_images_are_named_after_this_version() -> None:
    for path in ("deploy/broker.Dockerfile", "deploy/stack.yml"):
        tags = re.findall(r"wordcam-broker:(\S+)", (REPOSITORY / path).read_text(encoding="utf-8"))
        assert set(tags) == {release.VERSION}, path
