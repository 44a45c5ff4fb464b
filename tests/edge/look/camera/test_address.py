"""What of a camera's address may be read by anyone."""

import pytest

from edge.errors import Misconfigured
from edge.look.camera import address


@pytest.mark.parametrize(
    ("known", "shown"),
    [
        ("rtsp://10.0.0.2:554/live?channel=1", "rtsp://10.0.0.2:554/live?channel=1"),
        ("rtsp://me:p@ss@10.0.0.2/live", "rtsp://***@10.0.0.2/live"),
        (
            "http://10.0.0.2/s.jpg?loginuse=me&loginpas=secret&n=1",
            "http://10.0.0.2/s.jpg?loginuse=***&loginpas=***&n=1",
        ),
        (
            "rtsp://10.0.0.2/user=me&password=secret&channel=1.sdp",
            "rtsp://10.0.0.2/user=***&password=***&channel=1.sdp",
        ),
        ("https://10.0.0.2/s.jpg?Token=abc", "https://10.0.0.2/s.jpg?Token=***"),
        ("http://10.0.0.2/s.jpg?password={password}", "http://10.0.0.2/s.jpg?password={password}"),
    ],
)
def test_names_passwords_and_tokens_are_masked(known: str, shown: str) -> None:
    assert address.masked(known) == shown


def test_the_password_is_put_where_the_placeholder_stands() -> None:
    full = address.with_password("http://10.0.0.2/s.jpg?pwd={password}", "viewer", "a&b")

    assert full == "http://10.0.0.2/s.jpg?pwd=a%26b"


def test_a_placeholder_without_a_password_is_refused() -> None:
    with pytest.raises(Misconfigured, match=r"camera\.password_file"):
        address.with_password("http://10.0.0.2/s.jpg?pwd={password}", "", "")
