"""The topics: spelt once, read back, and closed to anything else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract import topics
from contract.errors import Refused
from contract.topics import CHANNELS, Address, Channel
from tests.contract.refusals import reason
from tests.contract.strategies import names


@given(names, names, st.sampled_from(CHANNELS))
def test_a_topic_that_is_spelt_is_read_back(site: str, device: str, channel: Channel) -> None:
    assert topics.parse(topics.topic(site, device, channel)) == Address(site, device, channel)


@given(st.text() | st.from_regex(r"wordcam/v1/[^/]*/[^/]*/(caption|status|ack|thresholds)"))
def test_any_other_topic_is_refused(name: str) -> None:
    found = reason(lambda: topics.parse(name))

    assert found == "not-ours" or _spelt_again(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        "wordcam/v1",
        "wordcam/v2/a/b/caption",
        "wordcam/v1/a/b/picture",
        "wordcam/v1/a/caption",
        "wordcam/v1/a/b/c/caption",
        "wordcam/v1/A/b/caption",
        "wordcam/v1/+/b/caption",
        "wordcam/v1/a/b\n/caption",
        "wordcam/v1/a/b/caption\n",
        "x/wordcam/v1/a/b/caption",
        "$share/g/wordcam/v1/a/b/caption",
    ],
)
def test_a_near_miss_is_refused(name: str) -> None:
    with pytest.raises(Refused, match="not-ours"):
        topics.parse(name)


@pytest.mark.parametrize("name", ["", "A", "a b", "a/b", "+", "#", "a\n", "-a", "a-", "가", "x" * 64])
def test_a_name_that_is_no_dns_label_never_becomes_a_topic(name: str) -> None:
    with pytest.raises(Refused, match="is not a name"):
        topics.topic(name, "pi-01", "caption")


def test_one_filter_hears_every_device_of_a_channel() -> None:
    assert topics.filter_of("caption") == "wordcam/v1/+/+/caption"
    assert topics.filter_of("status", site="north-gate") == "wordcam/v1/north-gate/+/status"


def _spelt_again(name: str) -> str:
    address = topics.parse(name)
    return topics.topic(address.site, address.device, address.channel)
