"""Connections and Traces from captures, against the ground truth of recorded kernels."""

import io
import json
from functools import cache
from itertools import pairwise
from operator import itemgetter
from pathlib import Path
from struct import pack, unpack_from

import capture_files as make
import pytest

from tcpviz.captures import read_capture
from tcpviz.segment import ACK, FIN, RST, SYN, bits
from tcpviz.states import TRANSITIONS, State
from tcpviz.steps import Kind
from tcpviz.trace import Trace
from tcpviz.trace_shape import fault
from tcpviz.units import MIN, MS, US, S

HERE = Path(__file__).parent
MERGED = HERE.parent / "notebooks" / "captures"
ONE_SIDED = HERE / "data" / "recordings"
TRUTH = {path.stem: json.loads(path.read_text("utf-8")) for path in ONE_SIDED.glob("*.json")}
NAMES = sorted(TRUTH)

# The recorder noted these departures late: the kernel's own time stamps are the truth here.
NOTED_LATE = {("long_syn_timeout", 4.370768): 5 * MS, ("port_exhaustion", 0.377651): 2 * MS}


def read(data):
    return read_capture(io.BytesIO(data))


@cache
def recording(name):
    return read_capture(MERGED / f"{name}.pcapng")


@cache
def traces(name):
    return [connection.trace() for connection in recording(name).connections]


def of(trace, number=0):
    """The flights of a trace as short tuples."""
    return [
        (flight.sender, flight.segment.control, flight.fate) for flight in trace.flights[number:]
    ]


def seen_in(found):
    """Every flight of some traces: what it is, and when it left and arrived, in ns."""
    for trace in found:
        for flight in trace.flights:
            segment = flight.segment
            what = (
                flight.sender,
                trace.end(flight.sender).address,
                segment.ctl,
                segment.seq,
                segment.ack if segment.ctl & ACK else None,
                segment.length,
                segment.window,
                json.loads(json.dumps(segment.options)),
            )
            sent = None if flight.sent is None else flight.sent + trace.start
            yield what, sent, [time + trace.start for time in flight.arrived], flight.fate


def flat(value):
    """The blocks of a SACK as one list of numbers; any other option's value as it is."""
    blocks = isinstance(value, list) and value and isinstance(value[0], list)
    return [number for block in value for number in block] if blocks else value


def recorded(name):
    """The same of the ground truth; times in s, as they were noted."""
    names = {"SACK_PERM": "SACK-permitted"}
    for entry in TRUTH[name]["segments"]:
        # What the wire injected claims to come from a client.
        sender = "client" if entry["from"] == "injected" else entry["from"]
        what = (
            sender,
            entry["src"],
            bits(",".join(entry["flags"])),
            entry["seq_raw"],
            entry["ack_raw"] if "ACK" in entry["flags"] else None,
            entry["len"],
            entry["win"],
            [[names.get(name, name), flat(value)] for name, value in entry["opts"]],
        )
        arrived = entry.get("t_rx_all") or [entry["t_rx"]] * (entry["t_rx"] is not None)
        yield what, entry["t_tx"], arrived, entry["fate"].split()[0]


def close(name, time, noted):
    """Whether a time in ns since the epoch is, within 1 ms, that which was noted in s."""
    if time is None or noted is None:
        return time is noted
    tolerance = NOTED_LATE.get((name, noted), MS)
    return abs(time - round((TRUTH[name]["date_real_t0"] + noted) * S)) < tolerance


@pytest.mark.parametrize("name", NAMES)
def test_both_ends_tell_every_segment_its_times_and_its_fate(name):
    """A merged recording gives the ground truth: segments, departures, arrivals, losses."""
    left = list(recorded(name))
    for what, sent, arrived, fate in seen_in(traces(name)):
        match = next(
            entry
            for entry in left
            if entry[0] == what
            and close(name, sent, entry[1])
            and len(arrived) == len(entry[2])
            and all(close(name, *pair) for pair in zip(arrived, entry[2], strict=True))
        )
        left.remove(match)
        assert fate == ("delivered" if match[3] == "injected" else match[3])
    assert not left
    losses = sum(entry[3] == "lost" for entry in recorded(name))
    assert sum(each.losses for each in recording(name).connections) == losses


@pytest.mark.parametrize("end", ["client", "server"])
@pytest.mark.parametrize("name", NAMES)
def test_one_end_tells_what_it_saw_and_no_more(name, end):
    """A capture at one end has its departures and its arrivals; no fate, and nothing of the far."""
    capture = read_capture(ONE_SIDED / f"{name}.{end}.pcapng")
    expected = []
    for what, sent, arrived, fate in recorded(name):
        if what[0] != end:
            expected += [(what, time) for time in arrived]
        elif fate != "injected":
            expected.append((what, sent))
    found = [each.trace() for each in capture.connections]
    for what, sent, arrived, fate in seen_in(found):
        assert fate == "unknown"
        assert (sent is None) == (what[0] != end)
        (time,) = arrived if sent is None else [sent]
        expected.remove(next(e for e in expected if e[0] == what and close(name, time, e[1])))
    assert not expected
    assert all(each.losses is None for each in capture.connections)
    for trace in found:
        assert {each.name for each in trace.ends if each.observed} == {end}
        assert {step.end for step in trace.steps} == {end}
    if not found:
        assert (name, end) == ("long_syn_timeout", "server")
        assert capture.warnings == ("it holds no packets",)


@pytest.mark.parametrize("name", NAMES)
def test_inferred_states_are_those_of_the_kernel(name):
    """Whenever the kernel was asked for a socket's state, the inferred state is the same."""
    linux = {state.replace("-", "_").replace("WAIT_", "WAIT"): state for state in State}
    linux["SYN_RECV"] = State.SYN_RECEIVED
    keys = ("t", "side", "local", "remote", "state")
    for noted, end, local, remote, state in (itemgetter(*keys)(e) for e in TRUTH[name]["poll"]):
        if state in (None, "LISTEN"):
            continue
        time = round((TRUTH[name]["date_real_t0"] + noted) * S)
        near = set()
        for trace in traces(name):
            if (trace.end(end).address, trace.other(end).address) != (local, remote):
                continue
            spans = trace.spans(end)
            # The sockets were listed every 2 ms.
            near |= {
                span.state
                for span in spans
                if trace.start + span.since <= time
                and (span.until is None or trace.start + span.until >= time - 3 * MS)
            }
        assert linux[state] in near, (noted, end, state)


def all_traces():
    for path in sorted([*MERGED.glob("*.pcapng"), *ONE_SIDED.glob("*.pcapng")]):
        for connection in read_capture(path).connections:
            yield connection, connection.trace()


def test_a_state_moves_only_along_edges_of_the_table():
    """Every change of state is made of edges of TRANSITIONS, one after the other."""
    edges = {edge.id: edge for edge in TRANSITIONS}
    moves = 0
    for _, trace in all_traces():
        for end in trace.ends:
            state = None
            for step in trace.of(end.name):
                assert step.inferred
                if step.edges:
                    taken = [edges[each] for each in step.edges]
                    if (state, taken[0].source) != (State.CLOSED, State.LISTEN):  # an unseen OPEN
                        assert state in (None, taken[0].source)
                    assert all(one.target is two.source for one, two in pairwise(taken))
                    assert step.state is taken[-1].target
                    moves += len(taken)
                else:
                    assert state in (None, step.state)
                state = step.state
    assert moves > 500


def test_a_capture_claims_no_call():
    """Nobody saw the user of TCP call: neither steps nor text nor JSON have a call."""
    listeners = 0
    for _, trace in all_traces():
        assert not [step for step in trace.steps if step.kind is Kind.CALL]
        assert not any("passive OPEN" in str(value) for value in trace.to_json()["steps"])
        assert "OPEN" not in str(trace)
        listeners += any(trace.before(end.name) is State.LISTEN for end in trace.ends)
    assert listeners > 50


@pytest.mark.parametrize(
    ("path", "client", "server"),
    [
        (MERGED / "lost_syn.pcapng", State.CLOSED, State.LISTEN),
        (MERGED / "refused.pcapng", State.CLOSED, State.CLOSED),
        (MERGED / "simultaneous_open.pcapng", State.CLOSED, State.CLOSED),
        (ONE_SIDED / "lost_syn.server.pcapng", None, State.LISTEN),
        (ONE_SIDED / "lost_syn.client.pcapng", State.CLOSED, None),
    ],
    ids=lambda value: value.name if isinstance(value, Path) else str(value),
)
def test_the_state_before_the_first_segment_is_inferred(path, client, server):
    """Who answers a SYN was in LISTEN, who sends one in CLOSED; of who was not watched: nothing."""
    trace = read_capture(path).connections[0].trace()
    assert (trace.before("client"), trace.before("server")) == (client, server)
    shown = ["before", *(f"({state})" for state in (client, server) if state)]
    assert str(trace).splitlines()[1].split() == shown


def test_every_trace_survives_json_and_a_second_asking():
    """A trace is the same each time it is asked for, and after JSON there and back."""
    for connection, trace in all_traces():
        assert connection.trace() == trace
        assert Trace.from_json(json.loads(trace.dumps())) == trace


def test_the_table_of_connections_agrees_with_the_traces():
    """Without Steps the table says what the Steps say: retransmissions, losses, start, ends."""
    for connection, trace in all_traces():
        assert connection.retransmissions == sum(flight.again for flight in trace.flights)
        if connection.losses is not None:
            assert connection.losses == sum(flight.fate == "lost" for flight in trace.flights)
        assert connection.start == trace.start
        assert connection.ends == trace.ends
        assert trace.title == f"{connection.source} #{connection.number}"


OUTCOMES = {
    "acceptq_overflow": ("handshake", "", "open"),
    "close_3seg": ("handshake", "client", "FIN from both"),
    "close_unread": ("handshake", "", "reset by server"),
    "close_wait_leak": ("handshake", "client", "reset by client"),
    "duplicates": ("handshake", "client", "FIN from both"),
    "fig8_old_duplicate_syn": ("handshake", "", "open"),
    "half_close": ("handshake", "client", "FIN from both"),
    "halfopen_syn": ("handshake", "", "open"),
    "linger0_abort": ("handshake", "", "reset by client"),
    "long_syn_timeout": ("no answer", "", "never open"),
    "no_timewait_lost_last_ack": ("handshake", "client", "reset by client"),
    "refused": ("refused", "", "never open"),
    "rst_inwindow_challenge": ("handshake", "", "open"),
    "simultaneous_close": ("handshake", "both", "FIN from both"),
    "simultaneous_open": ("simultaneous open", "client", "FIN from both"),
    "synflood_cookies": ("handshake not finished", "", "never open"),
}


@pytest.mark.parametrize("name", OUTCOMES)
def test_how_it_opened_and_ended(name):
    """The table says how the first connection opened, who closed first and how it ended."""
    first = recording(name).connections[0]
    assert (first.opened, first.closed_first, first.ended) == OUTCOMES[name]


def test_an_old_duplicate_stays_with_the_connection_it_disturbs():
    """RFC 9293 Figure 8: one connection; numbers count from the SYN that it really used."""
    (trace,) = traces("fig8_old_duplicate_syn")
    client, server = trace.ends
    old = next(flight for flight in trace.flights if flight.sent is None)
    assert (old.segment.seq - client.iss, old.segment.ctl, old.fate) == (-10, SYN, "delivered")
    assert [span.state for span in trace.spans("server")] == [
        State.SYN_RECEIVED, State.LISTEN, State.SYN_RECEIVED, State.ESTABLISHED
    ]  # fmt: skip
    assert trace.before("server") is State.LISTEN
    used = [flight.segment for flight in trace.flights if flight.segment.ctl == SYN | ACK][-1]
    assert (used.seq, used.ack) == (server.iss, client.iss + 1)


@pytest.mark.parametrize("name", ["halfopen_syn", "halfopen_syn.client", "halfopen_syn.server"])
def test_a_syn_that_finds_a_half_open_connection_belongs_to_its_story(name):
    """RFC 9293 Figure 9: the SYN, the ACK of the old connection, the RST, and what comes after."""
    folder = MERGED if name == "halfopen_syn" else ONE_SIDED
    (connection,) = read_capture(folder / f"{name}.pcapng").connections
    trace = connection.trace()
    story = [(flight.sender, flight.segment.control) for flight in trace.flights]
    assert story[-6:] == [
        ("client", "SYN"),
        ("server", "ACK"),
        ("client", "RST"),
        ("client", "SYN"),
        ("server", "SYN,ACK"),
        ("client", "ACK"),
    ]
    numbers = [trace.notation(flight, absolute=False) for flight in trace.flights]
    assert numbers[-6:-3] == ["<SEQ=0><CTL=SYN>", "<SEQ=1><ACK=1><CTL=ACK>", "<SEQ=1><CTL=RST>"]
    if trace.end("server").observed:
        assert [span.state for span in trace.spans("server")] == [
            State.SYN_RECEIVED,
            State.ESTABLISHED,
            State.CLOSED,
            State.SYN_RECEIVED,
            State.ESTABLISHED,
        ], "half-open until the RST, not in LISTEN"


def test_numbers_count_from_the_iss_of_their_own_connection():
    """An earlier SYN,ACK has another ISS: it is not some number far below the last one."""
    for name in ("fig8_old_duplicate_syn", "halfopen_syn"):
        (trace,) = traces(name)
        shown = [trace.notation(flight, absolute=False) for flight in trace.flights]
        assert not [text for text in shown if "SEQ=-1751319" in text or "SEQ=-11878788" in text]
        assert {text.split(">")[0] for text in shown if "SYN,ACK" in text} == {"<SEQ=0"}


def test_what_never_reached_the_other_interface_is_lost_by_the_names():
    """Eleven SYNs at `client`, nothing at `server`: the names say that both ends were watched."""
    (trace,) = traces("long_syn_timeout")
    assert {fate for _, _, fate in of(trace)} == {"lost"}
    lost = [step for step in trace.steps if step.kind is Kind.LOSE]
    assert [step.time for step in lost] == [flight.sent + 25 * MS for flight in trace.flights]
    assert all(step.inferred and step.end == "" for step in lost)


def unnamed(data):
    """A recording whose interfaces are called c and s."""
    filler = b"\xab\x0b\0\0"  # an option that nobody knows
    for name in (b"client", b"server"):
        short = b"\x02\x00\x01\x00" + name[:1] + bytes(3) + filler
        data = data.replace(b"\x02\x00\x06\x00" + name + bytes(2), short)
    return data


def test_without_names_the_packets_tell_which_interface_is_which():
    """Packets that crossed tell where the ends are; where none did, nothing is claimed."""
    for name in NAMES:
        anonymous = read(unnamed((MERGED / f"{name}.pcapng").read_bytes()))
        for connection, known in zip(anonymous.connections, traces(name), strict=True):
            trace = connection.trace()
            if name in ("long_syn_timeout", "synflood_cookies") and not known.flights[0].arrived:
                assert connection.losses is None
            elif name == "lost_syn":  # whether the server's end was watched by then is not known
                assert trace.flights[0].fate == "unknown"
                assert of(trace, 1) == of(known, 1)
            elif known.flights[0].sent is not None:
                assert trace == Trace(known.ends, known.steps, trace.title, "capture", known.start)


def two_sided(delay=50 * MS, ahead=0, first="a", second="b"):
    """A handshake seen at two interfaces; the second's clock is `ahead`."""
    data = make.section() + make.interface(first) + make.interface(second)
    blocks = []
    for number, (forward, frame) in enumerate(make.handshake()):
        sent = make.START + number * (delay + MS)
        times = (sent, sent + delay) if forward else (sent + delay, sent)
        blocks += [(times[0], 0, frame), (times[1] + ahead, 1, frame)]
    blocks.sort(key=lambda each: each[0])
    return data + b"".join(make.packet(time, frame, face) for time, face, frame in blocks)


@pytest.mark.parametrize("ahead", [0, 20 * MS, -60 * MS, 60 * MS, 60 * MIN, -60 * MIN])
def test_clocks_that_disagree(ahead):
    """Where arrivals come before departures, times are shifted and a note says so."""
    (connection,) = read(two_sided(ahead=ahead)).connections
    trace = connection.trace()
    noted = any("clocks" in note for note in trace.notes)
    assert noted == (abs(ahead) > 50 * MS)
    assert trace.start == make.START + max(ahead, 0) * noted  # the later clock's times are kept
    if noted or not ahead:
        assert [flight.arrived[0] - flight.sent for flight in trace.flights] == [50 * MS] * 3
    assert [flight.sender for flight in trace.flights] == ["client", "server", "client"]
    assert connection.losses == 0


def test_two_interfaces_of_one_host_claim_nothing():
    """Interfaces that share no packet see one end each, whatever passed at the other."""
    data = make.section() + make.interface("eth0") + make.interface("lo")
    data += b"".join(
        make.packet(make.START + number * MS, frame, 0)
        for number, (_, frame) in enumerate(make.handshake())
    )
    local = make.ipv4(make.tcp(sport=9), bytes((127, 0, 0, 1)), bytes((127, 0, 0, 1)))
    data += make.packet(make.START + S, local, 1)
    capture = read(data)
    assert [connection.losses for connection in capture.connections] == [None, None]
    assert all(fate == "unknown" for each in capture.connections for _, _, fate in of(each.trace()))


def test_a_third_interface_on_the_way_is_left_out():
    """Of three interfaces on a path the outer two are the ends, and a note tells of the third."""
    data = make.section() + b"".join(make.interface(name) for name in ("a", "b", "c"))
    for number, (forward, frame) in enumerate(make.handshake()):
        for hop, face in enumerate((0, 1, 2) if forward else (2, 1, 0)):
            data += make.packet(make.START + (number * 3 + hop) * 20 * MS, frame, face)
    (connection,) = read(data).connections
    trace = connection.trace()
    assert [flight.arrived[0] - flight.sent for flight in trace.flights] == [40 * MS] * 3
    assert any("third interface" in note for note in trace.notes)


def test_identical_retransmissions_are_paired_by_the_usual_delay():
    """Of two identical SYNs one arrived: the delay says that it was the second."""
    syn = make.segment(ident=0)
    data = make.section() + make.interface("client") + make.interface("server")
    for number, (forward, frame) in enumerate(make.handshake(ident=5)[1:]):
        sent = make.START + S + (number + 1) * 51 * MS
        near, far = (0, 1) if forward else (1, 0)
        data += make.packet(sent, frame, near) + make.packet(sent + 50 * MS, frame, far)
    data += make.packet(make.START, syn, 0) + make.packet(make.START + S, syn, 0)
    data += make.packet(make.START + S + 50 * MS, syn, 1)
    (connection,) = read(data).connections
    first, second, *_ = connection.trace().flights
    assert (first.fate, second.fate, second.again) == ("lost", "delivered", True)
    assert second.arrived[0] - second.sent == 50 * MS


def test_a_capture_that_holds_each_packet_twice():
    """Copies within 1 ms of each packet are the capture's doing, not retransmissions."""
    once = [(make.START + n * 10 * MS, frame) for n, (_, frame) in enumerate(make.handshake())]
    twice = [(time + copy * 5 * US, frame) for time, frame in once for copy in (0, 1)]
    (connection,) = read(make.pcap(twice, nano=True)).connections
    assert connection.retransmissions == 0
    assert len(connection.trace().flights) == 3
    assert any("twice" in note for note in connection.trace().notes)
    (seldom,) = read(make.pcap([*once, (once[2][0] + 5 * US, once[2][1])], nano=True)).connections
    assert len(seldom.trace().flights) == 4


def observed(data):
    (connection,) = read(data).connections
    return [end.name for end in connection.ends if end.observed]


def test_the_end_of_a_one_sided_capture_is_told_by_the_turnaround():
    """The answer to a segment comes at once only where it is sent."""
    for wait, end in (((50 * MS, MS), "client"), ((MS, 50 * MS), "server")):
        times = [0, wait[0], sum(wait)]
        packets = [(make.START + t, p) for t, (_, p) in zip(times, make.handshake(), strict=True)]
        assert observed(make.pcap(packets, nano=True)) == [end]


@pytest.mark.parametrize("outgoing_is_forward", [True, False])
def test_the_end_of_a_one_sided_capture_is_told_by_packet_directions(outgoing_is_forward):
    """A cooked header and a pcapng flag say which packets were outgoing."""
    expected = ["client" if outgoing_is_forward else "server"]
    cooked, cooked2, flagged = [], [], make.section() + make.interface("eth0")
    for number, (forward, frame) in enumerate(make.handshake()):
        time, out = make.START + number, forward == outgoing_is_forward
        cooked.append((time, pack(">HHH8sH", 4 if out else 0, 1, 6, b"", 0x800) + frame))
        cooked2.append((time, pack(">HHIHBB8s", 0x800, 0, 2, 1, 4 if out else 0, 6, b"") + frame))
        flagged += make.packet(time, frame, flags=2 if out else 1)
    assert observed(make.pcap(cooked, 113)) == expected
    assert observed(make.pcap(cooked2, 276)) == expected
    assert observed(flagged) == expected


def test_a_vantage_that_nothing_tells_is_noted():
    """Where nothing tells the end, the active opener's is assumed, and a note says so."""
    (connection,) = read(make.pcap([(make.START, make.segment())])).connections
    assert [end.observed for end in connection.ends] == [True, False]
    assert any("assumed" in note for note in connection.trace().notes)


def test_an_old_duplicate_may_come_before_the_connection():
    """A SYN that nobody sent and the connection after it are one trace, counted from the latter."""
    data = make.section() + make.interface("client") + make.interface("server")
    data += make.packet(make.START, make.segment(seq=90), 1)
    data += make.packet(make.START + MS, make.segment(False, seq=7, ack=91, ctl=SYN | ACK), 1)
    for number, (forward, frame) in enumerate(make.handshake()):
        near, far = (0, 1) if forward else (1, 0)
        data += make.packet(make.START + (2 + number) * S, frame, near)
        data += make.packet(make.START + (2 + number) * S + MS, frame, far)
    (connection,) = read(data).connections
    assert [end.iss for end in connection.ends] == [100, 300]
    assert of(connection.trace())[0] == ("client", "SYN", "delivered")


def test_a_port_used_again_is_another_connection():
    """A SYN of a new ISN begins the next incarnation; a repeated SYN does not."""
    frames = [frame for isn in (100, 9000) for _, frame in make.handshake(isn, isn * 3)]
    frames.insert(1, make.segment(seq=100, ident=1))
    frames.append(make.segment(False, seq=27001, ack=9001, ctl=RST | ACK))
    capture = read(make.pcap([(make.START + n * S, frame) for n, frame in enumerate(frames)]))
    assert [each.number for each in capture.connections] == [1, 2]
    first, second = (each.trace() for each in capture.connections)
    assert [len(first.flights), len(second.flights)] == [4, 4]
    assert [end.iss for end in second.ends] == [9000, 27000]
    assert capture.connections[1].ended == "reset by server"


def test_a_simultaneous_open_is_one_connection():
    """The second SYN of two that cross begins none of its own, also after an earlier connection."""
    crossing = [
        make.segment(seq=9000),
        make.segment(False, seq=5000),
        make.segment(seq=9000, ack=5001, ctl=SYN | ACK),
        make.segment(False, seq=5000, ack=9001, ctl=SYN | ACK),
    ]
    frames = [frame for _, frame in make.handshake()] + crossing
    capture = read(make.pcap([(make.START + n * S, frame) for n, frame in enumerate(frames)]))
    assert [each.opened for each in capture.connections] == ["handshake", "simultaneous open"]
    assert [end.iss for end in capture.connections[1].ends] == [9000, 5000]


def test_a_connection_from_before_the_capture():
    """Without a SYN the lower port is taken for the server's, numbers count from the first seen."""
    frames = [
        make.segment(False, seq=500, ack=200, ctl=ACK, length=10),
        make.segment(seq=200, ack=510, ctl=ACK),
        make.segment(seq=200, ack=510, ctl=FIN | ACK),
    ]
    (connection,) = read(make.pcap([(make.START + n, p) for n, p in enumerate(frames)])).connections
    assert (connection.opened, connection.ended) == ("before the capture", "half-closed by client")
    client, server = connection.ends
    assert (client.address, client.iss, client.syn_seen) == ("10.0.0.1:40000", 199, False)
    assert (server.address, server.iss, server.syn_seen) == ("10.0.0.2:80", 499, False)
    assert any("guess" in note for note in connection.trace().notes)
    assert connection.trace().spans("client")[-1].state is State.FIN_WAIT_1


def test_a_socket_connected_to_itself():
    """One socket may be both ends of a simultaneous open: it is shown, as far as that goes."""
    frames = [
        make.ipv4(make.tcp(7, 7, seq, ack, ctl), make.CLIENT, make.CLIENT)
        for seq, ack, ctl in ((1, 0, SYN), (1, 2, SYN | ACK), (2, 2, ACK))
    ]
    capture = read(make.pcap([(make.START + n, frame) for n, frame in enumerate(frames)]))
    assert [len(each.trace().flights) for each in capture.connections] == [3]


def through(change):
    """A handshake and 3000 octets of data, seen at both ends, changed on the way."""
    data = make.section() + make.interface("client") + make.interface("server")
    frames = [*make.handshake(), (True, make.segment(seq=101, ack=301, ctl=ACK, length=3000))]
    for number, (forward, frame) in enumerate(frames):
        sent = make.START + number * 51 * MS
        near, far = (0, 1) if forward else (1, 0)
        data += make.packet(sent, frame, near)
        for arriving in change(frame):
            data += make.packet(sent + 50 * MS, arriving, far)
    (connection,) = read(data).connections
    return connection


def test_a_middlebox_that_rewrites_options_loses_nothing():
    """A segment whose IP identification and window were rewritten on the way is the same one."""

    def rewrite(frame):
        return [frame[:4] + b"\xbe\xef" + frame[6:34] + b"\x00\x07" + frame[36:]]

    connection = through(rewrite)
    assert connection.losses == 0
    assert {fate for _, _, fate in of(connection.trace())} == {"delivered"}


def test_segments_cut_by_a_network_card_are_not_lost():
    """What left as one segment and arrived as two has an unknown fate, and a note says so."""

    def cut(frame):
        if len(frame) < 1000:
            return [frame]
        parts = (101, 1500, 2), (1601, 1500, 3)
        return [
            make.segment(seq=seq, ack=301, ctl=ACK, length=length, ident=ident)
            for seq, length, ident in parts
        ]

    connection = through(cut)
    assert connection.losses == 0
    assert connection.trace().flights[3].fate == "unknown"
    assert any("fate is unknown" in note for note in connection.trace().notes)


def test_connections_come_in_the_order_of_their_first_packets():
    """Numbers count from 1 in the order of first packets, whatever came between."""
    frames = [make.segment(sport=port, seq=port) for port in (5, 3, 9, 3, 5)]
    capture = read(make.pcap([(make.START + n * S, frame) for n, frame in enumerate(frames)]))
    assert [(each.number, each.ends[0].address) for each in capture.connections] == [
        (1, "10.0.0.1:5"), (2, "10.0.0.1:3"), (3, "10.0.0.1:9")
    ]  # fmt: skip
    assert [each.retransmissions for each in capture.connections] == [1, 1, 0]


def test_a_flood_of_syns_on_one_port_pair_is_read():
    """Thousands of incarnations of one four-tuple are told apart without comparing each to each."""
    frames = [make.segment(seq=number * 1000) for number in range(5000)]
    capture = read(make.pcap([(make.START + n, frame) for n, frame in enumerate(frames)]))
    assert len(capture.connections) == 5000


def test_the_recordings_are_all_described():
    """The page beside the recordings names each of them, and no other."""
    text = (MERGED / "README.md").read_text("utf-8")
    for path in MERGED.glob("*.pcapng"):
        assert f"| `{path.name}` |" in text
    assert text.count("| `") == len(NAMES) == len(list(MERGED.glob("*.pcapng")))


def test_numbers_that_wrap_around():
    """Sequence numbers go past 2**32 in the middle of a handshake."""
    frames = [frame for _, frame in make.handshake(2**32 - 1, 2**32 - 1)]
    (connection,) = read(make.pcap([(make.START + n, p) for n, p in enumerate(frames)])).connections
    trace = connection.trace()
    assert connection.opened == "handshake"
    assert [trace.notation(flight, absolute=False) for flight in trace.flights] == [
        "<SEQ=0><CTL=SYN>",
        "<SEQ=0><ACK=1><CTL=SYN,ACK>",
        "<SEQ=1><ACK=1><CTL=ACK>",
    ]
    assert trace.spans("client")[-1].state is State.ESTABLISHED


def test_a_direction_without_a_syn_has_no_relative_numbers() -> None:
    """The RST of a closed port carries SEQ 0, and counts from no SYN."""
    capture = read_capture(MERGED / "refused.pcapng")
    trace = capture.connections[0].trace()
    rst = trace.to_json()["segments"][1]
    assert rst["flags"] == ["RST", "ACK"]
    assert (rst["seq"], rst["seq_absolute"], rst["ack"]) == (None, 0, 1)
    assert "<SEQ=0><ACK=1><CTL=RST,ACK>" in str(trace)


def without_one_packet(path):
    """The captures that a file would be, had any one of its packets been missed."""
    data = path.read_bytes()
    blocks = []
    while data:
        length = unpack_from("<I", data, 4)[0]
        blocks.append(data[:length])
        data = data[length:]
    for number, each in enumerate(blocks):
        if each[0] == 6:
            yield read(b"".join(blocks[:number] + blocks[number + 1 :]))


@pytest.mark.parametrize("folder", [MERGED, ONE_SIDED], ids=["both ends", "one end"])
def test_one_missed_packet_makes_no_nonsense(folder):
    """No end acknowledges before it can have a SYN, or after it is CLOSED, whichever is missed."""
    nowhere = {State.CLOSED, State.LISTEN, State.SYN_SENT}
    acknowledged = 0
    for path in sorted(folder.glob("*.pcapng")):
        for capture in without_one_packet(path):
            for trace in (connection.trace() for connection in capture.connections):
                for step in trace.steps:
                    if step.kind is Kind.DEPART and step.segment.ctl & (SYN | ACK | RST) == ACK:
                        assert step.state not in nowhere, (path.name, str(trace))
                        acknowledged += 1
                assert fault(json.loads(trace.dumps())) == ""
    assert acknowledged > 1500


def test_a_missed_syn_ack_is_concluded_from_its_answer():
    """The recording of an ordinary connection, without its second packet, ends as it does."""
    _, without_syn_ack, *_ = without_one_packet(ONE_SIDED / "normal.client.pcapng")
    whole = read_capture(ONE_SIDED / "normal.client.pcapng")
    spans = [
        [span.state for span in capture.connections[0].trace().spans("client")]
        for capture in (without_syn_ack, whole)
    ]
    assert spans[0] == spans[1]
    assert spans[0][-1] is State.TIME_WAIT


def stream(*, octets=10, segments=3, every=100 * MS, start=0):
    """A handshake, then segments of data from the client, each acknowledged."""
    frames = [(start + number * 51 * MS, *each) for number, each in enumerate(make.handshake())]
    for number in range(segments):
        time, seq = start + 200 * MS + number * every, 101 + number * octets
        fields = {"seq": seq, "ack": 301, "ctl": ACK, "length": octets, "ident": 10 + number}
        frames.append((time, True, make.segment(**fields)))
        fields = {"seq": 301, "ack": seq + octets, "ctl": ACK, "ident": 10 + number}
        frames.append((time + 51 * MS, False, make.segment(False, **fields)))
    return frames


def test_what_was_acknowledged_was_not_lost():
    """Data that the receiver acknowledged did arrive, also where its capture has no arrival."""
    for names in (("client", "server"), ("a", "b")):
        (connection,) = read(make.crossing(stream(), names, missed=[3])).connections
        trace = connection.trace()
        assert (connection.losses, trace.flights[3].fate) == (0, "unknown")
        assert any("acknowledged" in note for note in trace.notes)
    (connection,) = read(make.crossing(stream(), missed=[0])).connections
    assert (connection.losses, connection.trace().flights[0].fate) == (0, "unknown")


def test_what_a_later_copy_brought_was_lost_before():
    """An ACK after the copy arrived tells nothing of the first, however it is cut: it is lost."""
    for length in (10, 30):
        again = make.segment(seq=101, ack=301, ctl=ACK, length=length, ident=50)
        ack = make.segment(False, seq=301, ack=101 + length, ctl=ACK, ident=51)
        frames = [*stream()[:4], (1 * S, True, again), (1 * S + 51 * MS, False, ack)]
        (connection,) = read(make.crossing(frames, missed=[3])).connections
        assert (connection.losses, connection.retransmissions) == (1, 1)
        assert connection.trace().flights[3].fate == "lost"
    # A copy that left after the ACK had left, and a number that was never sent, change nothing.
    late = [*stream(segments=1), (1 * S, *stream()[3][1:])]
    for missed in ([5], [3, 5]):
        (connection,) = read(make.crossing(late, missed=missed)).connections
        assert connection.losses == 1
    strange = make.segment(False, seq=301, ack=99_000, ctl=ACK, ident=51)
    frames = [*stream()[:4], (1 * S, False, strange)]
    assert read(make.crossing(frames, missed=[3])).connections[0].losses == 1


def test_an_interface_named_server_is_not_where_every_host_stands():
    """What the client says to a third host was seen at one end: nothing of it was lost."""
    other = bytes((8, 8, 8, 8))
    data = make.crossing(stream())
    for number, (forward, frame) in enumerate(make.handshake()):
        ends = (make.CLIENT, other) if forward else (other, make.CLIENT)
        data += make.packet(make.START + number * S, make.ipv4(frame[20:], *ends), 0)
    second = bytes((10, 0, 0, 9))  # another address of the client, whose SYN to the server is lost
    data += make.packet(make.START, make.ipv4(make.tcp(), second, make.SERVER), 0)
    capture = read(data)
    assert [each.losses for each in capture.connections if "0.9" in each.ends[0].address] == [1]
    (third,) = [each for each in capture.connections if each.ends[1].address == "8.8.8.8:80"]
    assert third.losses is None
    assert [end.observed for end in third.ends] == [True, False]
    assert {fate for _, _, fate in of(third.trace())} == {"unknown"}


def bridged(answer):
    """A handshake and data at two interfaces 10 us apart; the far end answers after a while."""
    times = [0, answer, answer + 50 * US, answer + 100 * US]
    frames = [*make.handshake(), (True, make.segment(seq=101, ack=301, ctl=ACK, length=5))]
    frames = [(time, *each) for time, each in zip(times, frames, strict=True)]
    data = make.crossing(frames, ("br0", "eth0"), delay=10 * US)
    (connection,) = read(data).connections
    return connection


def test_two_interfaces_of_one_host_that_see_the_same_are_one_end():
    """Where packets cross in no time and every answer takes long, the far end was not watched."""
    connection = bridged(100 * MS)
    trace = connection.trace()
    assert [end.observed for end in connection.ends] == [True, False]
    assert (connection.losses, len(trace.flights)) == (None, 4)
    assert any("twice" in note for note in trace.notes)
    assert not any("two ends" in note for note in trace.notes)


def test_two_ends_that_are_near_are_noted():
    """Where both ends answer at once, near interfaces are the ends, and a note says so."""
    connection = bridged(60 * US)
    assert [end.observed for end in connection.ends] == [True, True]
    assert any("two ends" in note for note in connection.trace().notes)
    (far,) = read(make.crossing(stream(), ("a", "b"))).connections
    assert far.trace().notes == ()


def test_clocks_are_compared_by_the_shortest_delays():
    """Delays vary: half the sum of the shortest ones is what a segment takes at least."""
    data = make.crossing(stream(), delay=lambda time: 50 * MS + time % (7 * MS) * 5, ahead=-S)
    (connection,) = read(data).connections
    delays = {True: [], False: []}
    for flight in connection.trace().flights:
        delays[flight.sender == "client"].append(flight.arrived[0] - flight.sent)
    assert abs(min(delays[True]) - min(delays[False])) <= 1
    assert min(delays[True]) < max(delays[True])


@pytest.mark.parametrize("ahead", [0, 60 * MIN, -60 * MIN])
def test_whether_the_other_end_was_watched_is_asked_of_its_own_clock(ahead):
    """Data in the middle that did not arrive was lost; of the last data that is not known."""
    middle, last = (
        (time, True, make.segment(seq=seq, ack=301, ctl=ACK, length=9))
        for time, seq in ((300 * MS, 111), (2 * S, 120))
    )
    answer = (1 * S, False, make.segment(False, seq=301, ack=111, ctl=ACK, length=3))
    frames = [*stream(segments=1), middle, answer, last]
    data = make.crossing(frames, ("a", "b"), ahead=ahead, missed=[5, 7])
    (connection,) = read(data).connections
    fates = [flight.fate for flight in connection.trace().flights]
    assert fates == ["delivered"] * 5 + ["lost", "delivered", "unknown"]
    lost = next(step.time for step in connection.trace().steps if step.kind is Kind.LOSE)
    assert lost == 325 * MS


def test_a_clock_that_was_set_during_the_capture():
    """No time is negative and no arrival before its departure; a note says what was done."""
    frames = stream(segments=6, every=200 * MS)
    data = make.crossing(
        [*frames[:-1], (2500 * MS, *frames[-2][1:])],
        ahead=lambda time: -300 * MS if time > 450 * MS else 0,
        missed=[len(frames) - 2],
    )
    (connection,) = read(data).connections
    trace = connection.trace()
    assert fault(json.loads(trace.dumps())) == ""
    assert trace.steps[0].time == 0
    assert any("clock was set" in note for note in trace.notes)
    assert all(flight.sent <= time for flight in trace.flights for time in flight.arrived)


def one_sided(*segments):
    """The connection of segments (whether forward, fields) seen at one place, 10 ms apart."""
    frames = [make.segment(forward, **fields) for forward, fields in segments]
    packets = [(make.START + number * 10 * MS, frame) for number, frame in enumerate(frames)]
    (connection,) = read(make.pcap(packets)).connections
    return connection


def test_who_closed_first_is_not_guessed_of_a_connection_from_before_the_capture():
    """One FIN may be the second one; that the other end still sends data tells that it is not."""
    fin = (False, {"seq": 500, "ack": 200, "ctl": FIN | ACK})
    ack = (True, {"seq": 200, "ack": 501, "ctl": ACK})
    unknown = one_sided(fin, ack)
    assert (unknown.closed_first, unknown.ended) == ("?", "one FIN seen, by server")
    assert any("assumption" in note for note in unknown.trace().notes)
    known = one_sided(fin, ack, (True, {"seq": 200, "ack": 501, "ctl": ACK, "length": 5}))
    assert (known.closed_first, known.ended) == ("server", "half-closed by server")
    both = one_sided(fin, (True, {"seq": 200, "ack": 501, "ctl": FIN | ACK}))
    assert (both.closed_first, both.ended) == ("server", "FIN from both")
    seen = one_sided(*((forward, fields) for forward, fields in opening()), fin_after_opening())
    assert (seen.closed_first, seen.ended) == ("server", "half-closed by server")
    assert not any("assumption" in note for note in seen.trace().notes)


def opening():
    """The fields of a handshake."""
    return [
        (True, {"seq": 100}),
        (False, {"seq": 300, "ack": 101, "ctl": SYN | ACK}),
        (True, {"seq": 101, "ack": 301, "ctl": ACK}),
    ]


def fin_after_opening():
    """The server's FIN next."""
    return False, {"seq": 301, "ack": 101, "ctl": FIN | ACK}


def test_a_simultaneous_open_ends_open():
    """A SYN,ACK from each end is all it takes (RFC 9293 Figure 7)."""
    crossing = [
        (True, {"seq": 100}),
        (False, {"seq": 300}),
        (True, {"seq": 100, "ack": 301, "ctl": SYN | ACK}),
        (False, {"seq": 300, "ack": 101, "ctl": SYN | ACK}),
    ]
    assert one_sided(*crossing).ended == "open"
    assert one_sided(*crossing[:3]).ended == "never open"


def test_what_began_before_the_capture_was_open():
    """Without a SYN it is not said that it never was: an RST resets it."""
    rst = one_sided((False, {"seq": 500, "ctl": RST}))
    assert (rst.opened, rst.ended) == ("before the capture", "reset by server")
    assert not any("assumption" in note for note in rst.trace().notes)
    assert one_sided((False, {"seq": 500, "ctl": 0})).ended == "open"


def test_octets_sent_again_in_another_cut_are_a_retransmission():
    """Twice 100 octets, then all 200 at once from the same number on: one retransmission."""
    data = [
        (True, {"seq": seq, "ack": 301, "ctl": ACK, "length": length})
        for seq, length in ((101, 100), (201, 100), (101, 200), (301, 50))
    ]
    assert one_sided(*opening(), *data).retransmissions == 1


def test_a_turnaround_that_is_only_a_little_longer_tells_no_end():
    """Where one end answers in 20 ms and the other in 50 ms, either may be far away."""
    times = [0, 50 * MS, 70 * MS]
    frames = [(make.START + t, p) for t, (_, p) in zip(times, make.handshake(), strict=True)]
    (connection,) = read(make.pcap(frames, nano=True)).connections
    assert any("assumed" in note for note in connection.trace().notes)


def test_a_late_segment_is_sought_among_several_incarnations():
    """The last data of the first of five incarnations goes to the first."""
    frames = [
        frame
        for number in range(5)
        for _, frame in make.handshake(100 + number * 100_000_000, 300 + number * 200_000_000)
    ]
    frames.append(make.segment(seq=101, ack=301, ctl=ACK, length=5))
    capture = read(make.pcap([(make.START + n * S, frame) for n, frame in enumerate(frames)]))
    assert [len(each.trace().flights) for each in capture.connections] == [4, 3, 3, 3, 3]


def test_an_rst_of_a_closed_port_is_told_by_its_ack_alone():
    """An RST with SEQ 0 (§3.10.7.1) goes with the SYN it answers, whatever the server's numbers."""
    frames = [frame for _, frame in make.handshake(100, 3_000_000_000)]
    frames += [make.segment(seq=9000), make.segment(False, seq=0, ack=101, ctl=RST | ACK)]
    capture = read(make.pcap([(make.START + n * S, frame) for n, frame in enumerate(frames)]))
    assert [len(each.trace().flights) for each in capture.connections] == [4, 1]
