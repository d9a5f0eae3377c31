"""Sequence numbers, 32 bits wide, and the notation of the RFC's figures."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcpviz.segment import (
    ACK,
    CONTROL_BITS,
    FIN,
    SYN,
    Segment,
    add,
    bits,
    distance,
    names,
    relative,
)

NUMBER = st.integers(0, 2**32 - 1)
SMALL = st.integers(-(2**31), 2**31 - 1)


@given(NUMBER, SMALL)
def test_adding_and_measuring_are_inverse_across_the_wrap(number: int, count: int) -> None:
    """Half the number space can be measured in each direction, also across 2**32."""
    assert distance(add(number, count), number) == count


@given(NUMBER, NUMBER)
def test_distance_is_antisymmetric_except_exactly_half_way(one: int, other: int) -> None:
    """Who is ahead does not depend on who asks; at 2**31 apart nobody can tell."""
    if distance(one, other) != -(2**31):
        assert distance(one, other) == -distance(other, one)


@given(NUMBER, st.integers(0, 2**31))
def test_a_number_after_its_base_is_never_shown_negative(base: int, ahead: int) -> None:
    """Relative numbers of a long transfer count up, also across the wrap."""
    assert relative(add(base, ahead), base) == ahead


def test_a_number_some_way_before_its_base_is_an_old_one() -> None:
    """An answer to an old SYN counts backwards, down to 16 million."""
    assert relative(100, 100 + (1 << 23)) == -(1 << 23)
    assert relative(100, 100 + (1 << 25)) > 0


@given(st.integers(0, 255))
def test_control_bits_are_named_and_read_back(ctl: int) -> None:
    """Names and bits are the same set."""
    assert bits(",".join(names(ctl))) == ctl
    assert len(CONTROL_BITS) == 8


@given(NUMBER, NUMBER, st.integers(1, 255), st.integers(0, 65535))
def test_the_notation_is_read_back(seq: int, ack: int, ctl: int, length: int) -> None:
    """What is printed as <SEQ=...> says all of a segment but its window and options."""
    segment = Segment(seq, ack if ctl & ACK else 0, ctl, length)
    assert Segment.parse(str(segment)) == segment


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("SYN", "not a segment"),
        ("<SEQ=1><ACK=2><CTL=SYN>", "goes with the ACK bit"),
        ("<SEQ=1><CTL=SYN,ACK>", "goes with the ACK bit"),
        ("<SEQ=4294967296><CTL=SYN>", "32 bits"),
        ("<SEQ=1><CTL=SIN>", "unknown control bit 'SIN'"),
    ],
)
def test_a_bad_notation_is_refused_with_a_reason(text: str, complaint: str) -> None:
    """Each mistake in a written segment has its own sentence."""
    with pytest.raises(ValueError, match=complaint):
        Segment.parse(text)


def test_syn_and_fin_occupy_a_number_each_and_a_bare_ack_none() -> None:
    """SEG.LEN counts data, SYN and FIN (§3.4)."""
    assert Segment(0, 0, SYN).span == 1
    assert Segment(0, 0, FIN | ACK, length=5).span == 6
    assert Segment(0, 0, ACK).span == 0
