"""The acknowledgement: what the device may forget."""

import pytest

from contract import ack, wire
from contract.ack import MAX_IDS, Ack, Refusal
from contract.errors import REASONS, Refused


def test_as_many_of_the_longest_ids_as_are_allowed_fit_into_one_message() -> None:
    longest = Ack(stored=("x" * 64,) * MAX_IDS)

    assert len(ack.encode(longest)) <= wire.MAX_BYTES


def test_a_refusal_of_the_longest_id_fits_beside_nothing_stored() -> None:
    refusals = tuple(Refusal("x" * 64, max(REASONS, key=len)) for _ in range(8))

    assert ack.decode(ack.encode(Ack(refused=refusals))).refused == refusals


def test_more_ids_than_allowed_are_refused() -> None:
    with pytest.raises(Refused, match=r"schema: .*\$\.stored"):
        ack.decode(b'{"stored":[' + b",".join([b'"a"'] * (MAX_IDS + 1)) + b"]}")


def test_an_empty_acknowledgement_is_read_as_nothing_stored() -> None:
    assert ack.decode(b"{}") == Ack()
