"""Packets become flows: both directions of one conversation in one record, under the names that Zeek has."""

from __future__ import annotations

import math
import socket
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from outlearn.data.entropy import entropy
from outlearn.data.readers.packets import ACK, ARP, FIN, ICMP, ICMP6, RST, SYN, TCP, UDP, URG, Packet

__all__ = ["RECORD", "flows"]

IDLE = {TCP: 300.0}  # seconds without a packet, after which a flow has ended
IDLE_OTHERS = 60.0
ACTIVE = 3600.0  # seconds after which a flow that goes on is written
MOST = 100_000  # flows that are open at once; then the one that has waited longest is written
SWEEP = 1.0  # seconds of the capture between two looks for flows that have ended
SAMPLE = 4096  # bytes of payload a direction that its entropy is computed from
NAMES = {TCP: "tcp", UDP: "udp", ICMP: "icmp", ICMP6: "icmp", ARP: "arp"}
DNS = (53, 5353, 5355)
STARTS = (
    (b"\x16\x03", "tls"),
    (b"SSH-", "ssh"),
    (b"GET ", "http"),
    (b"POST ", "http"),
    (b"HEAD ", "http"),
    (b"PUT ", "http"),
    (b"OPTIONS ", "http"),
    (b"CONNECT ", "http"),
    (b"HTTP/", "http"),
    (b"RFB ", "vnc"),
    (b"\x13BitTorrent", "bittorrent"),
)
ANY_START = tuple(start for start, _ in STARTS)
RECORD: dict[str, type] = {
    "ts": float,
    "id.orig_h": str,
    "id.orig_p": int,
    "id.resp_h": str,
    "id.resp_p": int,
    "proto": str,
    "service": str,
    "duration": float,
    "orig_bytes": int,
    "resp_bytes": int,
    "conn_state": str,
    "history": str,
    "orig_pkts": int,
    "orig_ip_bytes": int,
    "resp_pkts": int,
    "resp_ip_bytes": int,
    "sent entropy": float,
    "received entropy": float,
    "largest payload": int,
    "mean payload": float,
    "mean gap": float,
    "unevenness of gaps": float,
    "unevenness of payloads": float,
    "hops left": int,
    "urgent packets": int,
    "longest name asked": int,
    "names asked": int,
    "entropy of names asked": float,
}
"""Columns of a flow, and what they hold. Entropies are in bits a byte, times in seconds."""


@dataclass(slots=True)
class _Moments:
    """Count, mean and squared differences of numbers as they come (Welford)."""

    count: int = 0
    mean: float = 0.0
    squares: float = 0.0

    def add(self, value: float) -> None:
        self.count += 1
        step = value - self.mean
        self.mean += step / self.count
        self.squares += step * (value - self.mean)

    def unevenness(self) -> float | None:
        """Return the spread relative to the mean, at most 100; None for fewer than 3 numbers."""
        if self.count < 3:
            return None
        return min(math.sqrt(self.squares / self.count) / (abs(self.mean) + 1e-9), 100.0)


@dataclass(slots=True)
class _Way:
    """One direction of a flow."""

    packets: int = 0
    size: int = 0
    payload: int = 0
    flags: int = 0
    sample: bytearray = field(default_factory=bytearray)


@dataclass(slots=True)
class _Flow:
    first: Packet
    last: float
    ways: tuple[_Way, _Way] = field(default_factory=lambda: (_Way(), _Way()))
    history: list[str] = field(default_factory=list)
    gaps: _Moments = field(default_factory=_Moments)
    sizes: _Moments = field(default_factory=_Moments)
    largest: int = 0
    urgent: int = 0
    hops: int = 255
    service: str | None = None
    names: set[bytes] = field(default_factory=set)
    longest: int = 0
    over: bool = False

    def add(self, packet: Packet, back: bool) -> None:
        """Take a packet in, which goes `back` to who began."""
        way = self.ways[back]
        if self.sizes.count:
            self.gaps.add(max(packet.time - self.last, 0.0))
        self.last = max(self.last, packet.time)
        size = len(packet.payload)
        self.sizes.add(size)
        way.packets += 1
        way.size += packet.size
        way.payload += size
        self.largest = max(self.largest, size)
        self.hops = min(self.hops, packet.hops)
        if size:
            self._read(packet, way)
        if packet.protocol == TCP:
            self._flagged(packet, way, back)
        elif size:
            self._mark("d" if back else "D")

    def _read(self, packet: Packet, way: _Way) -> None:
        if len(way.sample) < SAMPLE:
            way.sample += packet.payload[: SAMPLE - len(way.sample)]
        if self.service is None:
            self.service = _service(packet)
        if self.service == "dns":
            self._asked(packet.payload[14 if packet.protocol == TCP else 12 :])

    def _flagged(self, packet: Packet, way: _Way, back: bool) -> None:
        flags = packet.flags
        letters = []
        if flags & SYN:
            letters.append("H" if flags & ACK else "S")
        elif not packet.payload and flags & ACK and not flags & (FIN | RST):
            letters.append("A")
        if packet.payload:
            letters.append("D")
        letters += [letter for flag, letter in ((FIN, "F"), (RST, "R")) if flags & flag]
        for letter in letters:
            self._mark(letter.lower() if back else letter)
        self.urgent += bool(flags & URG)
        way.flags |= flags
        both = self.ways[0].flags & self.ways[1].flags
        self.over = bool(flags & RST or both & FIN)

    def _mark(self, letter: str) -> None:
        if letter not in self.history:
            self.history.append(letter)

    def _asked(self, message: bytes) -> None:
        """Take in the name of the first question of a message of DNS, from after its head on."""
        name, place = bytearray(), 0
        while place < len(message) and 0 < message[place] < 64 and len(name) < 256:
            name += message[place + 1 : place + 1 + message[place]] + b"."
            place += 1 + message[place]
        if name:
            self.longest = max(self.longest, len(name))
            if len(self.names) < 1000:
                self.names.add(bytes(name))

    def record(self) -> tuple[Any, ...]:
        """Return the values of `RECORD`."""
        first, (sent, got) = self.first, self.ways
        asked = b"".join(self.names)
        return (
            first.time,
            _address(first.source),
            first.source_port,
            _address(first.target),
            first.target_port,
            NAMES.get(first.protocol, f"protocol {first.protocol}"),
            self.service,
            self.last - first.time,
            sent.payload,
            got.payload,
            self._state(),
            "".join(self.history),
            sent.packets,
            sent.size,
            got.packets,
            got.size,
            _entropy(sent.sample),
            _entropy(got.sample),
            self.largest,
            self.sizes.mean,
            self.gaps.mean if self.gaps.count else None,
            self.gaps.unevenness(),
            self.sizes.unevenness(),
            self.hops,
            self.urgent,
            self.longest or None,
            len(self.names) or None,
            _entropy(asked),
        )

    def _state(self) -> str:
        """Return the state of the connection, in the words of Zeek."""
        sent, got = self.ways
        if self.first.protocol != TCP:
            return "SF" if got.packets else "S0"
        if not sent.flags & SYN:
            return "OTH"
        if not got.flags & SYN:
            if got.flags & RST:
                return "REJ" if not sent.payload else "RSTRH"
            if sent.flags & RST:
                return "RSTOS0"
            return "SH" if sent.flags & FIN else "S0"
        if sent.flags & RST:
            return "RSTO"
        if got.flags & RST:
            return "RSTR"
        if sent.flags & FIN:
            return "SF" if got.flags & FIN else "S2"
        return "S3" if got.flags & FIN else "S1"


def flows(packets: Iterable[Packet]) -> Iterator[tuple[Any, ...]]:
    """Yield flows as they end, as the values of `RECORD`; who sent the first packet is the source.

    A flow ends by RST or FIN of both sides, or when no packet came for 60 seconds (TCP: 300); one that lasts
    longer than an hour is written in pieces. Where 100,000 are open the one that has waited longest ends.
    """
    table: OrderedDict[tuple[Any, ...], _Flow] = OrderedDict()
    swept = -math.inf
    for packet in packets:
        if packet.time - swept > SWEEP:
            yield from _ended(table, packet.time)
            swept = packet.time
        ends = (packet.source, packet.source_port), (packet.target, packet.target_port)
        icmp = packet.protocol in (ICMP, ICMP6)
        key = (
            (packet.protocol, packet.source_port, *sorted((packet.source, packet.target)))
            if icmp
            else (
                packet.protocol,
                *sorted(ends),
            )
        )
        flow = table.get(key)
        anew = packet.flags & SYN and not packet.flags & ACK and packet.protocol == TCP
        if flow is not None and (
            (flow.over and anew)
            or packet.time - flow.last > _idle(packet.protocol)
            or packet.time - flow.first.time > ACTIVE
        ):
            yield table.pop(key).record()
            flow = None
        if flow is None:
            # A lone answer to a connection tells who began it.
            turned = packet.protocol == TCP and packet.flags & SYN and packet.flags & ACK
            flow = table[key] = _Flow(_turned(packet) if turned else packet, packet.time)
            if len(table) > MOST:
                yield table.popitem(last=False)[1].record()
        back = (packet.source, packet.source_port) != (flow.first.source, flow.first.source_port)
        flow.add(packet, back if not icmp else packet.source != flow.first.source)
        table.move_to_end(key)
    for flow in table.values():
        yield flow.record()


def _ended(table: OrderedDict[tuple[Any, ...], _Flow], now: float) -> Iterator[tuple[Any, ...]]:
    """Yield flows that have waited too long; those at the front of the table have waited longest."""
    while table:
        key, flow = next(iter(table.items()))
        if now - flow.last <= _idle(flow.first.protocol):
            return
        del table[key]
        yield flow.record()


def _idle(protocol: int) -> float:
    return IDLE.get(protocol, IDLE_OTHERS)


def _turned(packet: Packet) -> Packet:
    return Packet(
        packet.time,
        packet.target,
        packet.source,
        packet.protocol,
        packet.target_port,
        packet.source_port,
        packet.flags,
        packet.size,
        packet.payload,
        packet.hops,
    )


def _service(packet: Packet) -> str | None:
    """Return what a payload is by how it begins, or by a port that only one service has."""
    if packet.protocol == UDP and (packet.target_port in DNS or packet.source_port in DNS):
        return "dns"
    if packet.protocol == TCP and 53 in (packet.target_port, packet.source_port):
        return "dns"
    if packet.payload[4:8] in (b"\xffSMB", b"\xfeSMB"):
        return "smb"
    if not packet.payload.startswith(ANY_START):  # most payloads, told at once
        return None
    return next(name for start, name in STARTS if packet.payload.startswith(start))


def _address(raw: bytes) -> str:
    return socket.inet_ntop(socket.AF_INET if len(raw) == 4 else socket.AF_INET6, raw)


def _entropy(sample: bytes | bytearray) -> float | None:
    """Return bits a byte; None for nothing."""
    return entropy(sample) if sample else None
