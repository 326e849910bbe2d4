"""The load generator reads what servers send, and its percentiles are what they are called."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame
from websockets.frames import Opcode as Theirs

from tests.load.clients.websocket import Opcode, ProtocolError, decode, encode
from tests.load.measurements.figures import percentile, spread

LENGTHS = (0, 1, 125, 126, 127, 65_535, 65_536)


@given(st.lists(st.sampled_from(LENGTHS), max_size=5), st.integers(0, 200_000))
def test_frames_are_read_wherever_the_network_cuts_them(lengths: list[int], cut: int) -> None:
    payloads = [bytes([number]) * length for number, length in enumerate(lengths)]
    wire = b"".join(Frame(Theirs.TEXT, p).serialize(mask=False) for p in payloads)
    first, rest = decode(wire[:cut])
    second, rest = decode(rest + wire[cut:])
    assert [*first, *second] == [(Opcode.TEXT, payload) for payload in payloads]
    assert rest == b""


@pytest.mark.parametrize("length", LENGTHS)
def test_a_frame_of_ours_has_a_mask_that_changes_nothing(length: int) -> None:
    payload = b"x" * length
    unmasked = Frame(Theirs.TEXT, payload).serialize(mask=False)
    frame = encode(payload)
    head = len(unmasked) - length
    assert frame[1] == unmasked[1] | 0x80
    assert frame[head : head + 4] == bytes(4)
    assert frame[head + 4 :] == payload


@pytest.mark.parametrize(
    "frame",
    [
        Frame(Theirs.TEXT, b"masked").serialize(mask=True),
        Frame(Theirs.TEXT, b"begins", fin=False).serialize(mask=False),
        Frame(Theirs.CONT, b"goes on").serialize(mask=False),
    ],
    ids=["masked", "begins", "goes on"],
)
def test_what_no_server_should_send_is_an_error(frame: bytes) -> None:
    with pytest.raises(ProtocolError):
        decode(frame)


def test_percentiles_are_values_that_were_measured() -> None:
    hundred = list(range(1, 101))
    assert [percentile(hundred, share) for share in (0, 0.5, 0.99, 1)] == [1, 50, 99, 100]
    assert percentile([7.0], 0.99) == 7.0
    assert spread([0.003, 0.001, 0.002]) == {
        "count": 3,
        "p50_ms": 2.0,
        "p99_ms": 3.0,
        "max_ms": 3.0,
    }
    assert spread([]) == {"count": 0}


@pytest.mark.parametrize(("values", "share"), [([], 0.5), ([1.0], 1.1), ([1.0], -0.1)])
def test_a_percentile_of_nothing_is_an_error(values: list[float], share: float) -> None:
    with pytest.raises(ValueError, match="needs values"):
        percentile(values, share)
