"""What the bundle's card says of the classifier of dangers: how it was chosen, and what to expect."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from contract.bundle import Licence, Manifest, Motion
from trainer.hazards.choosing import Choice

SECTION: Final = "## Alarms"
BEFORE: Final = "## Dangers it can name"
"""The section that it is put before."""


def renew(card: str, manifest: Manifest, chosen: Mapping[str, Choice], any_danger: Mapping[str, float]) -> str:
    """Return the card with the version, the terms and the figures of the classifier."""
    text = re.sub(r"\A# .*", f"# {manifest.name} {manifest.version}", card)
    text = re.sub(rf"^{SECTION}\n.*?(?=^## )", "", text, flags=re.MULTILINE | re.DOTALL)
    text = _terms(text, manifest.licences)
    section = "\n".join([*_section(chosen, any_danger), *_several_looks(manifest.motion or Motion())])
    return text.replace(BEFORE, f"{section}\n\n{BEFORE}", 1) if BEFORE in text else f"{text}\n{section}\n"


def _terms(text: str, licences: Sequence[Licence]) -> str:
    rows = [f"| {one.what} | {one.terms} |" for one in licences]
    missing = [row for row in rows if row not in text]
    last = max((row for row in rows if row in text), key=text.index, default="")
    return text.replace(last, "\n".join([last, *missing]), 1) if last and missing else text


def _section(chosen: Mapping[str, Choice], any_danger: Mapping[str, float]) -> list[str]:
    return [
        SECTION,
        "",
        "A classifier of its own judges dangers by what the int8 encoder sees. Its thresholds were chosen by pictures",
        "of places that it had not learnt from, so that no source's calm pictures alarm too often; the shares below",
        "are of such places. *New source*: nothing of the source was learnt from, and no threshold chosen by it.",
        "",
        "| danger | source | right, new place | right, new source |",
        "| --- | --- | ---: | ---: |",
        *(
            f"| {danger} | {source} | {share:.0%} | {choice.new_source[source]:.0%} |"
            for danger, choice in chosen.items()
            for source, share in choice.new_place.items()
        ),
        "",
        "| calm pictures of | that raise any danger, new place |",
        "| --- | ---: |",
        *(f"| {source} | {share:.1%} |" for source, share in any_danger.items()),
    ]


def _several_looks(motion: Motion) -> list[str]:
    moved = [
        f"How people moved for a second and a half adds to {danger}, or takes from it, {head.most:g} log-odds at most."
        for danger, head in motion.flow.items()
    ]
    fell = [
        f"Somebody who stood and does so no more adds {odds:g} log-odds to {danger}."
        for danger, odds in motion.falls.items()
    ]
    return ["", *moved, *fell] if moved or fell else []
