"""`GET /models/…`: the signed repository of models, for anybody who can reach the console.

Its files are protected by their signatures, and hold nothing that a device may not have. What is secret, the keys, lies
in another folder than these two. An interrupted download goes on where it ended (RFC 9110, section 14).
"""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

from anyio import open_file
from litestar import Request, Response, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.response import Stream

from broker.ingest.rollout.repository import METADATA, TARGETS
from broker.web.request.context import Page, ThisPage

METADATA_NAME: Final = re.compile(r"(?:[0-9]{1,9}\.(?:root|targets|snapshot)|timestamp)\.json")
CLASS_NAME: Final = re.compile(r"[a-z0-9-]{1,63}")
TARGET_NAME: Final = re.compile(r"[0-9a-f]{64}\.[a-z0-9-]{1,63}-[0-9.]{5,20}\.tar")
RANGE: Final = re.compile(r"bytes=([0-9]{1,12})-")

BLOCK_BYTES: Final = 1 << 16


@get("/models/metadata/{name:str}", sync_to_thread=True)
def metadata(page: ThisPage, name: FromPath[str]) -> Response[bytes]:
    """Return one of the signed lists."""
    if not METADATA_NAME.fullmatch(name):
        raise NotFoundException
    try:
        content = (_folder(page) / METADATA / name).read_bytes()
    except OSError as error:
        raise NotFoundException from error
    return Response(content, media_type="application/json")


@get("/models/targets/{device_class:str}/{name:str}")
async def target(
    request: Request[Any, Any, Any], page: ThisPage, device_class: FromPath[str], name: FromPath[str]
) -> Stream | Response[None]:
    """Return a package, whole or from a byte on."""
    if not (CLASS_NAME.fullmatch(device_class) and TARGET_NAME.fullmatch(name)):
        raise NotFoundException
    path = _folder(page) / TARGETS / device_class / name
    try:
        size = path.stat().st_size
    except OSError as error:
        raise NotFoundException from error
    asked = RANGE.fullmatch(request.headers.get("range", ""))
    start = int(asked[1]) if asked else 0
    if asked and start >= size:
        return Response(None, status_code=416, headers={"Content-Range": f"bytes */{size}"})
    headers = {"Accept-Ranges": "bytes", "Content-Length": str(size - start)}
    if asked:
        headers["Content-Range"] = f"bytes {start}-{size - 1}/{size}"
    return Stream(
        _blocks(path, start),
        status_code=206 if asked else 200,
        media_type="application/x-tar",
        headers=headers,
    )


async def _blocks(path: Path, start: int) -> AsyncIterator[bytes]:
    async with await open_file(path, "rb") as file:
        await file.seek(start)
        while block := await file.read(BLOCK_BYTES):
            yield block


def _folder(page: Page) -> Path:
    models = page.console.config.models
    if models is None:
        raise NotFoundException
    return models.folder
