"""Which parts of a picture the classifier is shown."""

from pathlib import Path

import pytest

from trainer.hazards import views
from trainer.hazards.pictures import Picture

GUN = ("gun", (0.5, 0.4, 0.06, 0.05))
PERSON = ("person", (0.1, 0.2, 0.15, 0.4))


def picture(label: str, *boxes: tuple[str, tuple[float, float, float, float]], key: str = "set/train/1") -> Picture:
    return Picture(key, Path("a.jpg"), "train", "cameras", label, boxes=boxes)


@pytest.mark.parametrize("number", range(20))
def test_crops_of_a_weapon_show_it_and_crops_beside_it_do_not(number: int) -> None:
    found = list(views.crops(picture("gun", GUN, PERSON, key=f"set/train/{number}")))

    assert all(view.inside["gun"] >= 0.6 for view in found if view.kind == "weapon")
    assert all(view.inside["gun"] == 0 for view in found if view.kind == "beside")
    assert {"weapon", "beside"} <= {view.kind for view in found}
    assert all(
        0 <= side <= 1 for view in found for side in (view.square[0] + view.square[2], view.square[1] + view.square[2])
    )


def test_people_of_calm_pictures_are_shown_as_closely() -> None:
    kinds = [view.kind for view in views.crops(picture("none", PERSON))]
    assert kinds == ["person", "zoom", "zoom"]


def test_a_picture_is_cut_alike_in_every_run() -> None:
    assert list(views.crops(picture("gun", GUN))) == list(views.crops(picture("gun", GUN)))
