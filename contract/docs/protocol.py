"""The text of docs/protocol.md: topics, messages, the acknowledgement and what is refused."""

import re
from typing import Final

import msgspec

from contract import ack, caption, errors, examples, status, thresholds, topics, update, wire
from contract.docs import fields
from contract.docs.source import text_under

_MEANING_OF_REASON: Final = {
    "too-large": f"The message is over {wire.MAX_BYTES} bytes.",
    "not-utf8": "Its bytes are not UTF-8.",
    "not-json": "Its text is not JSON.",
    "schema": "A field is missing, unknown, of the wrong type or out of its limits; the detail names it.",
    "not-ours": "The topic is not one of these, or the message speaks for another site or device than its topic.",
    "missing-file": "A file of a model bundle is not there.",
    "digest": "A file of a model bundle is not the one that its manifest names.",
}

_CHANNEL: Final = re.compile(r"(?P<channel>\w+): (?P<way>[^,.]+), QoS (?P<qos>[012]), (?P<rest>[^.]+)\.")


def text() -> str:
    """Write the whole page."""
    return _PAGE.format(
        root=topics.ROOT,
        max_bytes=wire.MAX_BYTES,
        max_chars=caption.MAX_TEXT_CHARS,
        channels=_channels(),
        topic=topics.topic(examples.SITE, examples.DEVICE, "caption"),
        filter=topics.filter_of("caption"),
        caption_line=caption.encode(examples.CAPTION).decode(),
        caption_bytes=len(caption.encode(examples.CAPTION)),
        caption=_sections(caption.Caption),
        caption_json=_json(examples.CAPTION_WITH_EVIDENCE),
        visits_json=_json(examples.CAPTION_WITH_VISITS),
        source=caption.source("<site>", "<device>", "<stream>"),
        type=caption.TYPE,
        status=_sections(status.Status),
        online_json=_json(examples.KNOWS_ITS_CALM),
        will_json=_json(examples.LAST_WILL),
        ack=_sections(ack.Ack),
        ack_json=_json(examples.ACK),
        max_ids=ack.MAX_IDS,
        thresholds=_sections(thresholds.Thresholds),
        thresholds_json=_json(examples.THRESHOLDS),
        offer=_sections(update.Offer),
        offer_json=_json(examples.OFFER),
        reasons=_reasons(),
    )


def _channels() -> str:
    described = {found["channel"]: found for found in _CHANNEL.finditer(text_under(topics, "CHANNELS"))}
    rows = [
        f"| `{topics.ROOT}/<site>/<device>/{channel}` | {described[channel]['way']} | {described[channel]['qos']} "
        f"| {described[channel]['rest']} |"
        for channel in topics.CHANNELS
    ]
    return "\n".join(["| Topic | Way | QoS | Kept by the broker |", "|---|---|---|---|", *rows])


def _sections(kind: fields.Kind) -> str:
    first, *inner = fields.structs(kind)
    parts = [fields.table(first)]
    parts += [f"#### {part.__name__}\n\n{_first_line(part)}\n\n{fields.table(part)}" for part in inner]
    return "\n\n".join(parts)


def _first_line(kind: fields.Kind) -> str:
    return (kind.__doc__ or "").strip().partition("\n")[0]


def _json(message: msgspec.Struct) -> str:
    return msgspec.json.format(msgspec.json.encode(message), indent=2).decode()


def _reasons() -> str:
    return "\n".join(f"| `{reason}` | {_MEANING_OF_REASON[reason]} |" for reason in errors.REASONS)


_PAGE: Final = """\
# The wordcam protocol, version 1

<!-- Generated from contract/ by `python -m contract.docs --write`. Change the code, not this page. -->

A camera sends sentences over MQTT 5, and the alert service answers when it has them on disk. Every message is one line
of UTF-8 JSON of at most {max_bytes} bytes; a larger one is refused unread. No message has a field that could hold
a picture: the longest text in it is the sentence, at most {max_chars} characters.

## Topics

Every topic is `{root}/<site>/<device>/<channel>`. A site, a device and a stream are each named by a DNS label: 1 to
63 of `a-z`, `0-9` and inner hyphens.

{channels}

Events are never retained, so a reader that subscribes late is not told an old danger as a new one. State is retained,
so that it learns at once which devices are there.

Read along with any MQTT client:

```console
$ mosquitto_sub -V 5 -h broker.example -t '{filter}' -v
{topic} {caption_line}
```

That caption has {caption_bytes} bytes.

The same as an [AsyncAPI 3 document](asyncapi.json), from which tools make pages, clients and mock servers:

```console
$ npx @asyncapi/cli generate fromTemplate docs/asyncapi.json @asyncapi/html-template -o pages
```

## Caption

One sentence about what one camera saw at one moment. Schema: [schema/caption.json](schema/caption.json).

{caption}

Beyond the schema: `captured_at` and `time` are in UTC and from 1970 to 2199, and `source` is `{source}` of the same
event. A reader also compares `site` and `device` with the topic, and refuses a device that speaks for another.

```json
{caption_json}
```

Of a device that follows people from arriving to leaving, a caption also says who is in view. Each caption can be read
alone; those that carry the same visit `id` are its story. What is entered, how long it lasted and that somebody left is
said once the device is sure, at most some seconds later:

```json
{visits_json}
```

### CloudEvents

`id`, `source`, `specversion`, `type` and `time` have the names and meanings of
[CloudEvents 1.0](https://github.com/cloudevents/spec). `source` and `id` together name an event: a receiver that knows
the pair knows the event, and a repeat does no harm. All other fields stand at the top level beside them, so that a line
stays short and legible. To hand a caption to a reader of CloudEvents JSON, move them into `data`:

| CloudEvents | From the caption |
|---|---|
| `specversion` | `specversion` |
| `type` | `type`, `{type}` |
| `source` | `source` |
| `id` | `id` |
| `time` | `time` |
| `subject` | `stream` |
| `datacontenttype` | `application/json` |
| `data` | all other fields |

## Status

Whether a device is there, what it runs, and what it has sent in place of video. Schema:
[schema/status.json](schema/status.json). The device publishes it when it connects (the birth message), then as a
heartbeat; the broker publishes the last will when the connection ends without a goodbye.

{status}

Birth message or heartbeat:

```json
{online_json}
```

Last will:

```json
{will_json}
```

## Ack

The acknowledgement. Schema: [schema/ack.json](schema/ack.json).

An MQTT PUBACK says that the broker has a message, perhaps only in memory. It does not say that the alert service will
ever read it. The device therefore keeps each caption on its own disk until the service names its `id` here:

```text
device                      broker                      alert service
  | write to the outbox       |                               |
  | caption, QoS 1 ---------->| ----------------------------->|
  |<----------------- PUBACK  |                               | check, store, commit
  |                           |<------------------ ack, QoS 1 |
  |<--------------------------|                       PUBACK  | (of the caption, after the commit)
  | delete from the outbox    |                               |
```

- The service answers after its commit, with one message for several captions: at most {max_ids} ids in `stored`.
- An event that it had already is named in `stored` again: the first answer may have been lost.
- A caption without an answer is sent again, with the same `id`.
- A caption that does not keep the contract is named in `refused`. Sending it again is useless, so the device gives it
  up, logs why and counts it in `ledger.given_up`.
- An id that the device does not know is passed over.

{ack}

```json
{ack_json}
```

## Thresholds

What people called a false alarm raises the threshold of that danger at that camera until a date. Schema:
[schema/thresholds.json](schema/thresholds.json). The message is retained, so that a device that was away learns it when
it comes back. Only the alert service may write it, and only that device may read it: `deploy/mosquitto/acl` says so.
A device whose server does not let it read the topic goes on without.

{thresholds}

```json
{thresholds_json}
```

## Update

Which model package a device should run ([updates](updates.md)). Schema: [schema/update.json](schema/update.json). The
message is retained. It only names a package: the device fetches it from the repository of its own configuration, and
believes the repository's signatures alone, so that the MQTT server can offer nothing that nobody signed. Only the alert
service may write it, and only that device may read it.

{offer}

```json
{offer_json}
```

What became of it stands in the `update` of the device's status.

## What is refused

A message that does not keep the contract is refused whole, with one of these reasons, and counted by it. Unknown
fields are refused too: a change that older readers cannot read gets a new number in `{root}`. Optional fields may be
added within a number. A server reads the captions and states of older devices as they are, but an older server does not
know the fields of a newer device: update the alert service first, then the devices. Added in 0.2: `evidence`, `since`
and `box` of a hazard, `people`, `visits` and `boxes` of a caption, `calm` with `night`, `conditions`, `cameras`,
`update`, `armed`, `system` and `evidence` of a status, and the topics `thresholds` and `update`.

| Reason | When |
|---|---|
{reasons}
"""
