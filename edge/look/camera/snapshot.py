"""A network camera that gives one JPEG at a time over HTTP, fetched once a look."""

import http.client
import logging
import time
import urllib.error
import urllib.request
from datetime import UTC, datetime
from typing import Final

from edge import config
from edge.errors import CameraGone
from edge.infer import image
from edge.look.camera import address
from edge.look.camera.pace import Pace
from edge.look.camera_port import Frame
from foundation import secret

log = logging.getLogger(__name__)

MAX_BYTES: Final = 32 * 1024 * 1024
"""Bytes of a picture that are read at most: more than any camera sends."""


class Snapshot:
    """Pictures fetched one by one; a failed one is borne until the camera has given none for its timeout."""

    def __init__(self, settings: config.Snapshot, password: str, pace: Pace) -> None:
        self._url = address.with_password(settings.url, "", password)
        self._name = address.masked(settings.url)
        self._timeout_seconds = settings.timeout_seconds
        self._pace = pace
        self._opener = _opener(self._url, settings.username, password)
        self._seen_at = time.monotonic()

    def read(self) -> Frame:
        """Wait for the pace and fetch a picture; raises `CameraGone` where none came for the timeout."""
        while True:
            self._pace.wait()
            captured_at, at = datetime.now(UTC), time.monotonic()
            try:
                with self._opener.open(self._url, timeout=self._timeout_seconds) as answer:
                    jpeg = answer.read(MAX_BYTES)
                bgr = image.decode_bgr(jpeg, self._name)
            except urllib.error.HTTPError as error:
                error.close()
                self._bear(f"HTTP {error.code}", at)
            except (OSError, http.client.HTTPException, image.Unreadable) as error:
                self._bear(type(error).__name__, at)  # its text may hold the address
            else:
                self._seen_at = at
                return Frame(bgr, captured_at, at, float(len(jpeg)))

    def _bear(self, why: str, at: float) -> None:
        """Log that there is no picture; raises `CameraGone` where that lasts."""
        if at - self._seen_at >= self._timeout_seconds:
            raise CameraGone(f"{self._name}: no picture: {why}; see whether it is on, and its password") from None
        log.warning("no snapshot", extra={"camera": self._name, "reason": why})

    def close(self) -> None:
        """Nothing stays open between two pictures."""


def open_camera(settings: config.Snapshot, pace: Pace) -> Snapshot:
    """Make the camera; its first picture shows whether it is there. Raises `Misconfigured` for its password's file."""
    password = secret.read(settings.password_file, "WORDCAM_CAMERA_PASSWORD", field="camera.password_file")
    return Snapshot(settings, password, pace)


def _opener(url: str, username: str, password: str) -> urllib.request.OpenerDirector:
    """Return what fetches, by basic or digest login where there is a user name, and through no proxy."""
    logins = urllib.request.HTTPPasswordMgrWithDefaultRealm()
    if username:
        logins.add_password(None, url, username, password)
    return urllib.request.build_opener(
        urllib.request.ProxyHandler({}),
        urllib.request.HTTPBasicAuthHandler(logins),
        urllib.request.HTTPDigestAuthHandler(logins),
    )
