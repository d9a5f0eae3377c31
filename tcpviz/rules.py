"""The rules one end follows, wherever RFC 9293 leaves room, contradicts itself, or is left.

Each rule has a name, both choices and a default. The defaults, `RFC9293`, are what the standard
says; where its text and its figures disagree, what makes the figures come out. `LINUX` is the set
that describes Linux 6.18. The broken handshakes at the end exist to be shown failing.
"""

from typing import Final, NamedTuple

from tcpviz.units import MS, S, readable
from tcpviz.words import say


class Rules(NamedTuple):
    """The rules one end follows; durations in ns, limits as counts of retransmissions, 0 is off.

    An R2 of -1 allows no retransmission: the first expiry of the RTO gives up.
    """

    challenge_acks: bool = True
    """RFC 5961 (cited in §3.10.7.4): a RST in the window but beside RCV.NXT, and any SYN, are
    answered by an ACK. Without: such a RST is accepted, and a SYN in the window is answered by a
    RST and ends the connection."""

    old_ack_challenged: bool = False
    """MAY-12 (RFC 5961, section 5): an ACK older than a window is answered by an ACK and its
    segment dropped, save in SYN-RECEIVED, where the RST for a stray ACK goes before: the fifth
    check of §3.10.7.4 asks for both. Without: such an ACK is merely old. With it and no
    `ack_throttle`, two ends that have lost each other can answer each other's ACKs for ever."""

    crossing_syn_ack: bool = True
    """I-1, I-14: the SYN,ACK of a simultaneous open is let in although its number was taken before,
    so that Figure 7 comes out. Without: the first check of §3.10.7.4 turns it away with an ACK,
    and those two ACKs establish both ends."""

    answer_crossing: bool = False
    """Whether the SYN,ACK of a simultaneous open is acknowledged. Figure 7 ends without; Linux
    answers it."""

    fin_restarts_2msl: bool = True
    """I-2: a FIN that comes again in TIME-WAIT restarts the 2MSL timeout, as the fifth and eighth
    check of §3.10.7.4 say. Without: the first check answers and drops it, and the time runs on."""

    time_wait_after_abort: bool = False
    """I-3: the side that aborts waits in TIME-WAIT (§3.5.2, note 3 of Figure 5). Without: it is
    CLOSED, as §3.10.5 says."""

    reset_needs_number: bool = False
    """I-4: in SYN-SENT a RST must carry the number RCV.NXT, which is not yet known and counted as
    0. Without: a RST that acknowledges our SYN ends the attempt (§3.10.7.3)."""

    syn_ack_again: bool = False
    """I-5: the same SYN once more in SYN-RECEIVED is answered by the SYN,ACK once more, whose RTO
    starts again. Without: by an ACK, as the first check of §3.10.7.4 says."""

    syn_resets_syn_received: bool = False
    """Another SYN in the window of SYN-RECEIVED, after a passive OPEN, is answered by a RST.
    Without: the end returns to LISTEN in silence (§3.10.7.4, fourth check)."""

    keepalive_resets: bool = False
    """An end that gives up because no keep-alive is answered sends a RST. Without: silence."""

    time_wait_ignores_rst: bool = False
    """I-11: a RST does not end TIME-WAIT (RFC 1337). Without: it does (§3.10.7.4, second check)."""

    time_wait_answers_all: bool = False
    """I-12: TIME-WAIT acknowledges whatever arrives, as the fifth check of §3.10.7.4 reads.
    Without: an ACK that is in order and carries nothing is taken in silence, or two ends in
    TIME-WAIT would answer each other's ACKs for ever."""

    ack_throttle: int = 0
    """RFC 5961, section 7: how long after an ACK for a segment that is not acceptable, or is
    challenged, the next one is withheld, if that segment carries no data. Off: never; two ends that
    each count the other's numbers for wrong answer each other's ACKs until something else ends it,
    and a run that does nothing else is stopped with a note that says so."""

    stray_ack_goes_on: bool = False
    """I-13: after the RST for an ACK that SYN-RECEIVED cannot accept, the FIN of the same segment
    is still looked at, as the eighth check of §3.10.7.4 reads (the seventh, for the text, does not
    know SYN-RECEIVED). Without: the segment is dropped."""

    reopen_from_time_wait: bool = False
    """MAY-2 (§3.6.1): a SYN beyond the last number received, in the window or not, opens a new
    connection out of TIME-WAIT, with an ISS 65 537 beyond the last number sent. Without: it is
    answered by an ACK."""

    reuse_after: int = 0
    """How long after TIME-WAIT began an active OPEN may cut it short, with an ISS 65 537 beyond the
    last number sent: tcp_tw_reuse, which Linux has on for loopback alone, after 1 s. 0: such an
    OPEN is an error (§3.10.1)."""

    time_wait_minisocket: bool = False
    """TIME-WAIT as Linux keeps it: any ACK restarts the 2MSL timeout, a RST beside RCV.NXT is met
    with silence, and the SYN that reopens must be beyond RCV.NXT. Without: a FIN restarts it, such
    a RST is challenged, and RCV.NXT itself will do."""

    syn_received_minisocket: bool = False
    """SYN-RECEIVED after a passive OPEN as Linux keeps it: an ACK of anything but our SYN draws a
    RST even outside the window, and a RST anywhere in the window ends it. Without: the window comes
    first, and a RST beside RCV.NXT is challenged."""

    fin_wait_2_minisocket: bool = False
    """FIN-WAIT-2 after a half-duplex CLOSE as Linux keeps it: a RST anywhere in the window ends it,
    and a SYN, data or a FIN there that is not the FIN at RCV.NXT ends it with a RST. Without: it is
    like any FIN-WAIT-2, and data in order draws a RST."""

    listen_drops_syn_fin: bool = False
    """LISTEN drops a SYN with a FIN. Without: the SYN is taken and the FIN held (§3.10.7.2)."""

    nagle: bool = False
    """SHLD-7 (§3.7.4): a SEND of less than a segment waits while another such is unacknowledged,
    and a FIN rides on what waits. Without: each SEND leaves at once, as a segment of its own."""

    reset_carries_ack: bool = False
    """The RST of an ABORT carries an ACK, as Linux sends it. Without: <SEQ=SND.NXT><CTL=RST>."""

    syn_after_reset: int = 0
    """How long after an ACK that does not acknowledge our SYN, such as the SYN,ACK of another
    connection, the SYN is sent again; 0: when the RTO says so."""

    fin_ack_delays: tuple[int, int] = (0, 0)
    """How long the ACK of a FIN waits for the user's own FIN: before any data has come, and
    after it. (A scenario's `delayed_ack` delays the ACKs of data too.)"""

    user_timeout_late: bool = False
    """The USER TIMEOUT of data and FIN is counted from the first retransmission that is not a
    probe. Without: from the first sending (§3.10.8)."""

    rto_floor: int = 0
    """The RTO is the round-trip time of the handshake plus this; 0: it stays the initial RTO."""

    rto_most: int = 0
    """The longest RTO (RFC 6298, 2.5: 60 s or more); 0: it doubles without end."""

    tail_loss_probe: bool = False
    """The first retransmission after the handshake is a probe that does not double the RTO."""

    linear_syn_timeouts: int = 0
    """How many retransmissions of a SYN come before the RTO starts to double."""

    r1: int = 3
    """R1 (§3.8.3): after so many retransmissions the user is told that there is trouble."""

    r2_syn: int = 0
    """R2 (§3.8.3) for a SYN: how many retransmissions before giving up. After an active OPEN also
    for the SYN,ACK of SYN-RECEIVED, there less `linear_syn_timeouts`."""

    r2_syn_ack: int = 0
    """R2 for the SYN,ACK of a passive OPEN."""

    r2: int = 0
    """R2 for data and FIN. Without any R2, two ends that have lost each other may each send the
    same again for ever."""

    r2_orphan: int = 0
    """R2 for what is left to send after a half-duplex CLOSE; 0: as `r2`."""

    r2_as_time: bool = False
    """R2 for data and FIN is the time that so many retransmissions take if the RTO begins with
    `rto_floor`, counted from the first that is not a probe: 924.6 s for the 15 of Linux. Without:
    the retransmissions are counted."""

    fin_wait_2: int = 0
    """How long FIN-WAIT-2 lasts after a half-duplex CLOSE; the RFC knows no such limit."""

    no_room_for_time_wait: bool = False
    """The host keeps no TIME-WAIT, nor FIN-WAIT-2 after a half-duplex CLOSE: it forgets at once."""

    keepalive_interval: int = 75 * S
    """How long a keep-alive waits for its answer (§3.8.4)."""

    keepalive_probes: int = 9
    """How many keep-alives go unanswered before the connection is given up."""

    two_way_handshake: bool = False
    """Broken: a listener is ESTABLISHED as soon as it has answered the SYN."""

    four_segment_handshake: bool = False
    """Needless: a listener answers a SYN with an ACK and then with a SYN of its own; and SYN-SENT
    takes an ACK of its SYN without a SYN beside it, the rule that this handshake needs. And worse
    than three: the SYN that is sent again carries no ACK, so that a loss can leave both waiting."""

    def differences(self) -> dict[str, object]:
        """The rules that are not the standard's, by name."""
        given = zip(self._fields, self, RFC9293, strict=True)
        return {name: mine for name, mine, default in given if mine != default}

    def told(self) -> tuple[str, ...]:
        """The rules that are not the standard's, in words.

        >>> RFC9293._replace(two_way_handshake=True).told()
        ('a handshake of two segments',)
        """
        if self == LINUX:
            return (say("rules_linux"),)
        differences = self.differences()
        if self.r2 and self.r2_syn == self.r2_syn_ack == self.r2:
            for name in ("r2_syn", "r2_syn_ack", "r2"):
                del differences[name]
            differences["r2_alike"] = self.r2
        return tuple(_told(f"rule_{name}", mine) for name, mine in differences.items())


def _told(key: str, value: object) -> str:
    """A rule with its value, where it has one; below 0 there may be none."""
    if not isinstance(value, int):
        return say(key)
    return say(key, value=max(value, 0), time=readable(value))


RFC9293: Final = Rules()
"""What the standard says; give-up timers off."""

LINUX: Final = Rules(
    old_ack_challenged=True,
    answer_crossing=True,
    syn_ack_again=True,
    ack_throttle=500 * MS,
    syn_resets_syn_received=True,
    keepalive_resets=True,
    reopen_from_time_wait=True,
    time_wait_minisocket=True,
    syn_received_minisocket=True,
    fin_wait_2_minisocket=True,
    listen_drops_syn_fin=True,
    nagle=True,
    reset_carries_ack=True,
    syn_after_reset=8 * MS,
    fin_ack_delays=(4 * MS, 40 * MS),
    user_timeout_late=True,
    rto_floor=200 * MS,
    rto_most=120 * S,
    tail_loss_probe=True,
    linear_syn_timeouts=4,
    r2_syn=10,
    r2_syn_ack=5,
    r2=15,
    r2_orphan=8,
    r2_as_time=True,
    fin_wait_2=60 * S,
)
"""Linux 6.18 with its default sysctls, as the recordings show it."""
