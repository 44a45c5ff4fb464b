"""Images that are in train and in val under different names."""

from trainer.data.quality import duplicates
from trainer.data.quality.duplicates import FLAT, NEAR, Fingerprints
from trainer.data.quality.image_check import ImageFacts

STRIPES = 0x0F0F0F0F0F0F0F0F0F0F0F0F0F0F0F0F


def sight(*examples: tuple[str, int]) -> Fingerprints:
    """Return images by their digest, empty for one that cannot be read, and the bits of their look."""
    made = Fingerprints()
    for digest, dhash in examples:
        content = digest.encode().ljust(16, b"\0") if digest else b""
        made.add(
            ImageFacts(1, 1, content, dhash.to_bytes(16, "big") if dhash >= 0 else b"", "" if dhash >= 0 else "broken")
        )
    return made


def flipped(count: int) -> int:
    """Return the stripes with some bits changed."""
    return STRIPES ^ ((1 << count) - 1)


def test_the_same_bytes_are_duplicates_whatever_their_name() -> None:
    train, val = sight(("a", 1), ("b", 2), ("a", 1)), sight(("c", 3), ("a", 1))

    assert list(duplicates.duplicates(train, val)) == [(0, 1), (2, 1)]


def test_images_that_cannot_be_read_are_no_duplicates() -> None:
    assert list(duplicates.duplicates(sight(("", -1)), sight(("", -1)))) == []
    assert list(duplicates.near_duplicates(sight(("", -1)), sight(("", -1)))) == []


def test_looks_that_differ_a_little_are_alike() -> None:
    train = sight(("a", flipped(60)), ("b", flipped(3)), ("c", flipped(NEAR + 1)))
    val = sight(("d", STRIPES), ("e", STRIPES ^ (0b11 << 100)))

    assert list(duplicates.near_duplicates(train, val)) == [(1, 0), (1, 1)]


def test_looks_that_differ_more_are_not() -> None:
    assert list(duplicates.near_duplicates(sight(("a", flipped(NEAR + 1))), sight(("b", STRIPES)))) == []
    assert list(duplicates.near_duplicates(sight(("a", flipped(NEAR))), sight(("b", STRIPES)))) == [(0, 0)]


def test_plain_images_are_alike_without_being_the_same() -> None:
    plain, dark = (1 << (FLAT - 1)) - 1, (1 << 128) - 1

    assert list(duplicates.near_duplicates(sight(("a", plain), ("b", dark)), sight(("c", plain), ("d", dark)))) == []


def test_nothing_has_no_duplicate() -> None:
    assert list(duplicates.duplicates(Fingerprints(), sight(("a", 1)))) == []
    assert list(duplicates.near_duplicates(Fingerprints(), sight(("a", STRIPES)))) == []
    assert list(duplicates.near_duplicates(sight(("a", STRIPES)), Fingerprints())) == []
