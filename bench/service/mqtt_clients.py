"""MQTT client libraries in the one thing that the alert service does most: taking messages at QoS 1 from a full queue.

python -m bench.service.mqtt_clients                      # a table of those that are installed
python -m bench.service.mqtt_clients --take paho PORT N   # one, against a server with N messages for `bench-takes`
"""

import argparse
import asyncio
import json
import os
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final

import mqtt5
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from rich.console import Console
from rich.table import Table

from bench.device import commands
from bench.fixtures import caption_stream, mqtt_publisher, mqtt_server
from bench.service import service_process

CLIENT_ID: Final = "bench-takes"

PATIENCE_SECONDS: Final = 120.0


@dataclass
class Watch:
    """Counts messages, and times them from the first to the last."""

    goal: int
    taken: int = 0
    wall: float = 0.0
    processor: float = 0.0

    def __post_init__(self) -> None:
        self.done = threading.Event()

    def take(self) -> bool:
        """Count one; says whether it was the last."""
        if not self.taken:
            self.wall, self.processor = -time.perf_counter(), -time.process_time()
        self.taken += 1
        if self.taken < self.goal:
            return False
        self.wall += time.perf_counter()
        self.processor += time.process_time()
        self.done.set()
        return True


def paho(port: int, watch: Watch) -> None:
    """paho-mqtt, as bare as it gets: a callback that counts."""
    client = Client(CallbackAPIVersion.VERSION2, client_id=CLIENT_ID, protocol=MQTTProtocolVersion.MQTTv5)
    session = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho has no hint there
    session.SessionExpiryInterval, session.ReceiveMaximum = 3600, mqtt_server.IN_FLIGHT

    def count(taker: Client, _data: Any, _message: Any) -> None:
        if watch.take():
            taker.disconnect()

    client.on_message = count
    client.connect("127.0.0.1", port, clean_start=False, properties=session)
    client.loop_forever()


def codec(port: int, watch: Watch) -> None:
    """mqtt5, a codec in Rust, with a socket of ours."""
    with socket.create_connection(("127.0.0.1", port)) as server:
        hello = mqtt5.ConnectPacket(CLIENT_ID, session_expiry_interval=3600, receive_max=mqtt_server.IN_FLIGHT)
        server.sendall(hello.write())
        rest = b""
        while not watch.done.is_set():
            data = rest + server.recv(1 << 18)
            view, at = memoryview(data), 0
            replies: list[bytes] = []
            try:
                while at < len(data):
                    packet, size = mqtt5.read(view[at:])
                    at += size
                    if isinstance(packet, mqtt5.PublishPacket) and packet.packet_id:
                        watch.take()
                        replies.append(mqtt5.PubAckPacket(packet.packet_id).write())
            except IndexError:
                pass
            rest = data[at:]
            server.sendall(b"".join(replies))


def gmqtt(port: int, watch: Watch) -> None:
    """gmqtt, on asyncio."""
    from gmqtt import Client as Gmqtt  # noqa: PLC0415 - measured where it is installed

    async def run() -> None:
        over = asyncio.Event()
        client = Gmqtt(CLIENT_ID, clean_session=False, session_expiry_interval=3600)

        def count(*_: Any) -> int:
            if watch.take():
                over.set()
            return 0

        client.on_message = count
        await client.connect("127.0.0.1", port, version=5)
        await asyncio.wait_for(over.wait(), PATIENCE_SECONDS)

    asyncio.run(run())


def awscrt(port: int, watch: Watch, *, manual: bool = False) -> None:
    """awscrt, in C with threads of its own; `manual`: acknowledged later, two hundred at a time."""
    from awscrt import io  # noqa: PLC0415 - measured where it is installed
    from awscrt import mqtt5 as aws  # noqa: PLC0415 - the same

    unacknowledged: list[Any] = []

    def count(data: Any) -> None:
        if manual:
            unacknowledged.append(data.acquire_publish_acknowledgement_control())
            if len(unacknowledged) == 200:
                for one in unacknowledged:
                    client.invoke_publish_acknowledgement(one)
                unacknowledged.clear()
        watch.take()

    group = io.EventLoopGroup(1)
    hello = aws.ConnectPacket(
        client_id=CLIENT_ID, session_expiry_interval_sec=3600, receive_maximum=mqtt_server.IN_FLIGHT
    )
    client = aws.Client(
        aws.ClientOptions(
            host_name="127.0.0.1",
            port=port,
            bootstrap=io.ClientBootstrap(group, io.DefaultHostResolver(group)),
            connect_options=hello,
            session_behavior=aws.ClientSessionBehaviorType.REJOIN_ALWAYS,
            on_publish_callback_fn=count,
        )
    )
    client.start()
    watch.done.wait(PATIENCE_SECONDS)


def awscrt_manual(port: int, watch: Watch) -> None:
    """awscrt, acknowledging later."""
    awscrt(port, watch, manual=True)


CLIENTS: Final[dict[str, Callable[[int, Watch], None]]] = {
    "paho": paho,
    "awscrt": awscrt,
    "awscrt-manual": awscrt_manual,
    "gmqtt": gmqtt,
    "mqtt5": codec,
}


def take(name: str, port: int, count: int) -> dict[str, float]:
    """Take messages in a process of its own, on one core: messages a second, and a second of processor time.

    Raises `commands.Failed`.
    """
    words = ["-m", "bench.service.mqtt_clients", "--take", name, str(port), str(count)]
    return dict(json.loads(commands.answer(*service_process.pinned(sys.executable, *words))))


def compare(count: int, rounds: int) -> list[dict[str, Any]]:
    """Let each take the same messages, turn by turn; the best turn of each counts."""
    best: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as folder, mqtt_server.mqtt_server(Path(folder)) as mqtt:
        port = mqtt.port
        said = list(islice(caption_stream.talking(1000), count))
        for name in [name for _ in range(rounds) for name in CLIENTS]:
            mqtt_publisher.keep(port, CLIENT_ID)
            with mqtt_publisher.Devices(port) as devices:
                devices.send(said)
                devices.wait_sent()
            try:
                found = take(name, port, count)
            except commands.Failed as error:
                print(f"{name}: {str(error).splitlines()[-1]}", file=sys.stderr)
                continue
            known = best.setdefault(name, found)
            best[name] = {key: max(known[key], found[key]) for key in found}
    return [{"client": name} | found for name, found in best.items()]


def main(argv: Sequence[str] | None = None) -> int:
    """Compare, or take."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.service.mqtt_clients", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--count", type=int, default=20_000, metavar="N", help="messages each (%(default)s)")
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="turns of each (%(default)s)")
    parser.add_argument("--take", nargs=3, metavar=("CLIENT", "PORT", "N"), help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    if options.take:
        name, port, count = options.take
        watch = Watch(int(count))
        CLIENTS[name](int(port), watch)
        found = {"per_second": watch.goal / watch.wall, "per_processor_second": watch.goal / watch.processor}
        print(json.dumps(found), flush=True)
        os._exit(0)  # libraries with threads of their own do not all end by themselves
    table = Table("client", "messages/s", "messages/s of processor time")
    for row in compare(options.count, options.rounds):
        table.add_row(row["client"], f"{row['per_second']:,.0f}", f"{row['per_processor_second']:,.0f}")
    Console().print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
