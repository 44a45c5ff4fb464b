"""Ethernet, IPv4, TCP and TLS as far as the test reads them (RFC 791, 9293, 8446)."""

import ipaddress
import struct
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

ARP, IPV4 = 0x0806, 0x0800
TCP = 6

TLS_TYPES = {20: "change cipher spec", 21: "alert", 22: "handshake", 23: "application data"}
HIDDEN = 17
"""Bytes that TLS 1.3 adds to what a record of application data holds: its real type, and a tag of 16 bytes."""


@dataclass(frozen=True)
class End:
    address: str
    port: int


@dataclass
class Traffic:
    """What was on a cable."""

    packets: int = 0
    size: int = 0
    """Bytes, with all headers."""
    others: set[str] = field(default_factory=set)
    """Anything but ARP and TCP over IPv4."""
    segments: dict[tuple[End, End], dict[int, bytes]] = field(default_factory=lambda: defaultdict(dict))
    """What was sent from one end to another, by the place in the stream."""

    def stream(self, sender: End, receiver: End) -> bytes:
        """Put the bytes of one direction together; raises `AssertionError` where one is missing."""
        segments = sorted(self.segments[sender, receiver].items())
        joined = bytearray()
        begin = segments[0][0]
        for at, data in segments:
            assert at - begin <= len(joined), "a segment was not captured"
            joined[at - begin :] = data if at - begin + len(data) >= len(joined) else joined[at - begin :]
        return bytes(joined)


def read(packets: Iterable[bytes]) -> Traffic:
    """Sort packets by what they are."""
    traffic = Traffic()
    for packet in packets:
        traffic.packets += 1
        traffic.size += len(packet)
        (kind,) = struct.unpack_from("!H", packet, 12)
        if kind == ARP:
            continue
        if kind != IPV4 or packet[23] != TCP:
            traffic.others.add(f"ethernet {kind:#06x}" if kind != IPV4 else f"IP protocol {packet[23]}")
            continue
        _take_tcp(traffic, packet[14:])
    return traffic


def _take_tcp(traffic: Traffic, packet: bytes) -> None:
    head = (packet[0] & 15) * 4
    (size,) = struct.unpack_from("!H", packet, 2)
    addresses = [str(ipaddress.IPv4Address(packet[at : at + 4])) for at in (12, 16)]
    source, target, sequence = struct.unpack_from("!HHI", packet, head)
    data = packet[head + (packet[head + 12] >> 4) * 4 : size]
    ends = (End(addresses[0], source), End(addresses[1], target))
    known = traffic.segments[ends]
    if data and len(known.get(sequence, b"")) < len(data):
        known[sequence] = data


def records(stream: bytes) -> list[tuple[int, int]]:
    """Return type and length of each TLS record; raises `AssertionError` where the stream is anything else."""
    found, at = [], 0
    while at < len(stream):
        kind, version, size = struct.unpack_from("!BHH", stream, at)
        assert kind in TLS_TYPES, f"byte {at} of the stream begins no TLS record"
        assert 0x0301 <= version <= 0x0304
        assert size <= 16640
        found.append((kind, size))
        at += 5 + size
    return found
