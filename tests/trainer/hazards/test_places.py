"""Which pictures are taken for one place."""

import numpy as np

from trainer.hazards import places
from trainer.hazards.features import Encoded, Example
from trainer.hazards.recipe import Source


def scenes(*looks: tuple[str, int]) -> Encoded:
    """Make scenes of (clip, number of the room); a room has its own light and features."""
    rng = np.random.default_rng(1)
    rooms = {room: (rng.uniform(0, 200, 256), rng.uniform(0, 3, 40)) for room in {room for _, room in looks}}
    examples, rows = [], []
    for number, (clip, room) in enumerate(looks):
        light, seen = rooms[room]
        thumbnail = np.clip(light + rng.normal(0, 5, 256), 0, 255).astype(int).tolist()
        examples.append(
            Example(
                key=f"set/train/{number}",
                split="train",
                source="shops",
                label="none",
                kind="frame",
                clip=clip,
                thumbnail=tuple(thumbnail),
            )
        )
        rows.append(np.concatenate([seen, seen]))
    return Encoded(examples, np.stack(rows).astype(np.float16))


def test_frames_of_one_room_are_one_place() -> None:
    found = places.assign(scenes(("", 0), ("", 1), ("", 0), ("", 2)), {})

    assert found["set/train/0"] == found["set/train/2"]
    assert len(set(found.values())) == 3


def test_a_clip_is_one_place_where_its_source_says_so() -> None:
    encoded = scenes(("a", 0), ("a", 1), ("b", 2))

    assert len(set(places.assign(encoded, {}).values())) == 3
    assert len(set(places.assign(encoded, {"shops": Source(clips_are_places=True)}).values())) == 2


def test_a_clip_shares_the_place_of_the_scenes_taken_from_it() -> None:
    def one(key: str, kind: str, clip: str) -> Example:
        return Example(key=key, split="train", source="s", label="fight", kind=kind, clip=clip)

    examples = [
        one("scene", "frame", "fight/fi003.mp4"),
        one("fall", "frame", "1/Fall/13"),
        one("same", "clip", "fight_002"),
        one("same fall", "clip", "Fall_1_13"),
        one("other", "clip", "noFight_002"),
    ]

    found = places.of_clips(examples, {"scene": "s/7", "fall": "s/8"})

    assert found == {"same": "s/7", "same fall": "s/8", "other": "s/noFight_002"}
