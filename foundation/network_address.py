"""Host names and addresses as configuration files hold them: without a scheme, and without a port."""

import ipaddress
import re
from typing import Final
from urllib.parse import urlsplit

MQTT_PORT: Final = 1883
MQTT_TLS_PORT: Final = 8883
"""Ports that IANA has registered for MQTT without and with TLS."""

_HOST_NAME: Final = re.compile(r"[^\s:/@?#\[\]\\]+")
"""What a resolver may be asked for; names in other scripts are as good as their ASCII form."""


def require_host(host: str) -> None:
    """Raise `ValueError` where `host` is neither a host name nor an IP address, saying what to write."""
    if _HOST_NAME.fullmatch(host) or _is_ip_address(host):
        return
    scheme, _, rest = host.rpartition("://")
    try:
        parts = urlsplit(f"//{rest}")
        name, port = parts.hostname, parts.port
    except ValueError:
        name, port = None, None
    if not name or not (_HOST_NAME.fullmatch(name) or _is_ip_address(name)):
        raise ValueError(f"`host`: {host!r} is neither a host name nor an IP address")
    extra = "a scheme and a port" if scheme and port else "a scheme" if scheme else "more than a name"
    if port and not scheme:
        extra = "a port"
    written = f"`host: {name}`" + (f" and `port: {port}`" if port else "")
    raise ValueError(f"`host`: {host!r} holds {extra}; write {written}")


def mqtt_port(port: int | None, *, encrypted: bool) -> int:
    """Return the configured port, or else the registered one."""
    return port or (MQTT_TLS_PORT if encrypted else MQTT_PORT)


def _is_ip_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
