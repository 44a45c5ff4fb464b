"""Where a verb finds `broker.yaml` when the command line does not say."""

from pathlib import Path
from typing import Final

from broker.config.errors import Misconfigured

DEFAULT: Final = Path("broker.yaml")
"""What `wordcam-broker init` writes into the current folder."""

OLD_DEFAULT: Final = Path("config/broker.yaml")
"""Default of version 0.1; still found in 0.2."""

HELP: Final = f"default: {DEFAULT} in this folder"


def found(named: Path | None) -> Path:
    """Return the file that is named, or else the default that exists; raises `Misconfigured` where there is none."""
    path = present(named)
    if path is None:
        raise Misconfigured(f"no {DEFAULT} in this folder; `wordcam-broker init` writes one, --config names another")
    return path


def present(named: Path | None) -> Path | None:
    """Return the file that is named, or else the default that exists, if any."""
    if named is not None:
        return named
    return next((path for path in (DEFAULT, OLD_DEFAULT) if path.is_file()), None)
