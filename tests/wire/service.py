"""The server's side: takes all messages, keeps them in a file, and acknowledges captions.

`python -m tests.wire.service HOST PORT FILE` beside a Mosquitto, for the device lab/dev-1.
"""

import json
import signal
import sys
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from contract import ack, caption, topics
from contract.ack import Ack


def main(host: str, port: int, path: Path) -> None:
    client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
    with path.open("w", encoding="utf-8", buffering=1) as file:

        def take(_client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
            payload = bytes(message.payload)
            file.write(json.dumps([message.topic, payload.decode("latin-1")]) + "\n")
            if message.topic.endswith("/caption"):
                answer = Ack(stored=(caption.decode(payload).id,))
                client.publish(topics.topic("lab", "dev-1", "ack"), ack.encode(answer), qos=1)

        def subscribe(*_: Any) -> None:
            client.subscribe("#", qos=1)

        client.on_message = take
        client.on_connect = subscribe
        client.connect(host, port)
        client.loop_forever()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
