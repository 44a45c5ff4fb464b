"""Counts wrong passwords by account, network and browser, and says when the next try is allowed."""

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final


@dataclass(frozen=True, slots=True)
class Limit:
    """A leaky bucket: so many tries at once, and one more each time that some seconds have passed."""

    tries: int
    seconds_each: float

    @property
    def memory(self) -> timedelta:
        """The age from which on a try no longer counts, whatever came after it."""
        return timedelta(seconds=self.tries * self.seconds_each)


PER_NAME_AND_NETWORK: Final = Limit(tries=5, seconds_each=180)
PER_NETWORK: Final = Limit(tries=30, seconds_each=20)
"""All accounts together: the people behind one router or proxy share it, and so does an attacker among them."""
PER_NAME: Final = Limit(tries=50, seconds_each=180)
"""All networks together: a guess from many places ends at 480 tries a day."""
PER_BROWSER: Final = Limit(tries=10, seconds_each=60)
"""A browser that has logged in to the account before. What strangers try does not count against it."""

MEMORY: Final = max(limit.memory for limit in (PER_NAME_AND_NETWORK, PER_NETWORK, PER_NAME, PER_BROWSER))
"""Tries older than this count nowhere."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A wrong password, or a try that is not decided yet."""

    at: datetime
    name: str
    address: str
    network: str
    browser: str = ""
    """Digest of the browser's cookie where that browser is known to the account; "" for all others."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a try comes from."""

    name: str
    address: str
    browser: str = ""
    """Digest of the browser's cookie; to `wait` only that of a browser that the account knows."""

    @property
    def network(self) -> str:
        """The network of the address: what one subscriber has."""
        return network_of(self.address)


def network_of(address: str) -> str:
    """Return the /64 of an IPv6 address and the address itself of IPv4, as a subscriber is given one of either."""
    try:
        read = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address[:64]
    if isinstance(read, ipaddress.IPv6Address):
        if read.ipv4_mapped is not None:
            return str(read.ipv4_mapped)
        return str(ipaddress.ip_network((read, 64), strict=False))
    return str(read)


def wait(failures: Sequence[Failure], origin: Origin, *, now: datetime) -> timedelta:
    """Return how long the next try from a place has to wait; zero for not at all."""
    if origin.browser:
        own = (failure.at for failure in failures if failure.browser == origin.browser and failure.name == origin.name)
        return _wait(own, PER_BROWSER, now)
    strange = [failure for failure in failures if not failure.browser]
    here = [failure for failure in strange if failure.network == origin.network]
    return max(
        _wait((failure.at for failure in here if failure.name == origin.name), PER_NAME_AND_NETWORK, now),
        _wait((failure.at for failure in here), PER_NETWORK, now),
        _wait((failure.at for failure in strange if failure.name == origin.name), PER_NAME, now),
    )


def _wait(moments: Iterable[datetime], limit: Limit, now: datetime) -> timedelta:
    level, last = 0.0, None
    for moment in sorted(moments):
        level = _leaked(level, last, moment, limit) + 1
        last = moment
    over = _leaked(level, last, now, limit) + 1 - limit.tries
    return timedelta(seconds=max(0.0, over * limit.seconds_each))


def _leaked(level: float, since: datetime | None, until: datetime, limit: Limit) -> float:
    if since is None:
        return level
    return max(0.0, level - max(0.0, (until - since).total_seconds()) / limit.seconds_each)
