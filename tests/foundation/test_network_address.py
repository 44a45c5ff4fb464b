"""Hosts: names and addresses alone, and what is said of anything else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.network_address import mqtt_port, require_host


@pytest.mark.parametrize(
    "host",
    ["localhost", "mqtt.example", "192.0.2.7", "2001:db8::7", "::1", "fe80::1%eth0", "my_server", "서버.example"],
)
def test_a_name_or_an_address_is_taken(host: str) -> None:
    require_host(host)


@pytest.mark.parametrize(
    ("host", "said"),
    [
        ("mqtt://h:1883", "`host`: 'mqtt://h:1883' holds a scheme and a port; write `host: h` and `port: 1883`"),
        ("h:1883", "`host`: 'h:1883' holds a port; write `host: h` and `port: 1883`"),
        ("mqtts://h", "`host`: 'mqtts://h' holds a scheme; write `host: h`"),
        ("[::1]:8883", "`host`: '[::1]:8883' holds a port; write `host: ::1` and `port: 8883`"),
        ("[::1]", "`host`: '[::1]' holds more than a name; write `host: ::1`"),
        ("h/topic", "`host`: 'h/topic' holds more than a name; write `host: h`"),
        ("", "`host`: '' is neither a host name nor an IP address"),
        ("my server", "`host`: 'my server' is neither a host name nor an IP address"),
        ("h:port", "`host`: 'h:port' is neither a host name nor an IP address"),
    ],
)
def test_anything_else_is_refused_with_what_to_write(host: str, said: str) -> None:
    with pytest.raises(ValueError, match=r"^`host`: ") as caught:
        require_host(host)

    assert str(caught.value) == said


@pytest.mark.parametrize(
    ("port", "encrypted", "used"), [(None, False, 1883), (None, True, 8883), (7, False, 7), (7, True, 7)]
)
def test_mqtt_has_a_registered_port_for_each_kind_of_connection(port: int | None, encrypted: bool, used: int) -> None:
    assert mqtt_port(port, encrypted=encrypted) == used


@given(st.text(max_size=30))
def test_any_text_is_taken_or_refused_by_name(host: str) -> None:
    try:
        require_host(host)
    except ValueError as error:
        refused = str(error)
    else:
        refused = "`host`: "

    assert refused.startswith("`host`: ")
