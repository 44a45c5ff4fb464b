"""A message as a telephone shows it."""

from demo import phone

PRINTED = "--- SMS to +1 (not sent), 1 part(s)\nALERT Fire - Demo yard, front camera 14:03\na fire burning\n---"


def test_a_message_is_framed_and_broken_at_words() -> None:
    lines = phone.drawn(PRINTED).split("\n")

    assert {phone.width(line) for line in lines} == {phone.COLUMNS + 6}
    assert [line.strip("│ ") for line in lines if line.startswith("  │")] == [
        "SMS to +1 (not sent), 1 part(s)",
        "ALERT Fire - Demo yard, front camera",
        "14:03",
        "a fire burning",
    ]


def test_korean_letters_are_counted_as_wide_as_they_are() -> None:
    drawn = phone.drawn("--- 문자\n[경보] 화재 · 데모 마당 불이 건물에서 타고 있습니다 확인해 주십시오\n---")

    assert {phone.width(line) for line in drawn.split("\n")} == {phone.COLUMNS + 6}


def test_everything_else_stays_as_it_was() -> None:
    assert phone.drawn("14:03 a dog\n--- cut") == "14:03 a dog\n--- cut"
