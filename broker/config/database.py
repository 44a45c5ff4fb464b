"""The part `database` of `broker.yaml`."""

from pathlib import Path
from typing import Annotated, Final
from urllib.parse import parse_qs, urlsplit

from msgspec import Meta

from broker.config.section import Section

DATABASE_PASSWORD: Final = "WORDCAM_DATABASE_PASSWORD"  # noqa: S105 - the name of a variable

Seconds = Annotated[float, Meta(gt=0, le=300)]


class Database(Section, frozen=True, kw_only=True):
    """An SQLite file, or a PostgreSQL database where instances on several machines share it."""

    path: Path | None = None
    """An SQLite file on a local disk."""
    url: Annotated[
        str,
        Meta(pattern=r"^(postgresql://\S+)?$", description="an address like postgresql://wordcam@db.example/wordcam"),
    ] = ""
    """A PostgreSQL database, without a password: `postgresql://wordcam@db.example/wordcam?sslmode=verify-full`."""
    password_file: Path | None = None
    """File that holds the password alone; the environment variable WORDCAM_DATABASE_PASSWORD goes before it."""
    wait_seconds: Seconds = 5
    """Time that an attempt waits for the lock of another process."""

    def __post_init__(self) -> None:
        if (self.path is None) == (not self.url):
            raise ValueError("give `path`, a file for SQLite, or else `url`, a PostgreSQL database")
        parts = urlsplit(self.url)
        if parts.password or "password" in parse_qs(parts.query):
            raise ValueError(f"`url` holds a password; put it into `password_file` or the variable {DATABASE_PASSWORD}")

    @property
    def name(self) -> str:
        """The path, or else the URL."""
        return str(self.path) if self.path is not None else self.url
