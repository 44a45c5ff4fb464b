"""What reads the packets finds what must not be there."""

import struct

import pytest

from tests.wire import packets
from tests.wire.packets import End

DEVICE, SERVER = End("10.77.0.2", 40000), End("10.77.0.1", 8883)


def tcp(data: bytes, sequence: int, protocol: int = 6) -> bytes:
    """Return an Ethernet frame from the device to the server."""
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 40 + len(data), 0, 0, 64, protocol, 0, b"\x0aM\0\2", b"\x0aM\0\1")
    return bytes(12) + b"\x08\0" + head + struct.pack("!HHIIBBHHH", 40000, 8883, sequence, 0, 5 << 4, 0, 0, 0, 0) + data


def record(size: int) -> bytes:
    return struct.pack("!BHH", 23, 0x0303, size) + bytes(size)


def test_segments_in_any_order_and_repeated_become_the_stream() -> None:
    stream = record(100) + record(7)
    frames = [tcp(stream[50:], 1050), tcp(stream[:60], 1000), tcp(stream[:60], 1000)]

    traffic = packets.read(frames)

    assert traffic.stream(DEVICE, SERVER) == stream
    assert packets.records(stream) == [(23, 100), (23, 7)]


def test_a_segment_that_is_missing_is_noticed() -> None:
    traffic = packets.read([tcp(b"abc", 1), tcp(b"xyz", 10)])

    with pytest.raises(AssertionError, match="not captured"):
        traffic.stream(DEVICE, SERVER)


def test_anything_but_tls_in_a_stream_is_noticed() -> None:
    with pytest.raises(AssertionError, match="begins no TLS record"):
        packets.records(record(10) + b"GET / HTTP/1.1")


def test_anything_but_tcp_is_noticed() -> None:
    ipv6 = bytes(12) + b"\x86\xdd" + bytes(60)

    assert packets.read([tcp(b"", 1, protocol=17), ipv6]).others == {"IP protocol 17", "ethernet 0x86dd"}
