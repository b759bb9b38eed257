"""Packets of a capture (pcap, pcapng), one after the other, by dpkt; hostile sizes are refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from outlearn.errors import ReadError
from outlearn.extras import require

__all__ = ["CaptureCounts", "Packet", "packets"]

LARGEST = 1 << 20  # bytes that a block of a capture may say it holds
TCP, UDP, ICMP, ICMP6 = 6, 17, 1, 58
ARP = -1  # not carried by IP: who asks for the address of whom
FIN, SYN, RST, PSH, ACK, URG = 1, 2, 4, 8, 16, 32


@dataclass(slots=True)
class Packet:
    """A packet as far as it is read. size : bytes from the header of IP on. payload : of TCP, UDP or ICMP."""

    time: float
    source: bytes
    target: bytes
    protocol: int
    source_port: int
    target_port: int
    flags: int
    size: int
    payload: bytes
    hops: int


@dataclass(slots=True)
class CaptureCounts:
    """Counts of what happened on the way. other : packets that carry neither IP nor ARP.
    broken : that cannot be read. cut : why it ends."""

    read: int = 0
    other: int = 0
    broken: int = 0
    cut: str = ""

    def words(self) -> tuple[str, ...]:
        """Return sentences for the user."""
        sentences = []
        if self.other:
            sentences.append(f"{self.other:,} packets carry neither IP nor ARP and were left aside")
        if self.broken:
            sentences.append(f"{self.broken:,} packets are malformed and were left aside")
        if self.cut:
            sentences.append(f"the capture is cut short or damaged after {self.read:,} packets: {self.cut}")
        return tuple(sentences)


class _Stream(Protocol):
    def read(self, size: int) -> bytes: ...


class _Bounded:
    """A stream of bytes that refuses to read as much as a hostile header says."""

    def __init__(self, stream: _Stream) -> None:
        self._stream = stream

    def read(self, size: int) -> bytes:
        if not 0 <= size <= LARGEST:
            raise ValueError(f"a block says that it holds {size:,} bytes")
        content = bytes(self._stream.read(size))
        if 0 < len(content) < size:
            raise ValueError("the last block is incomplete")
        return content


def packets(name: str, stream: _Stream, tally: CaptureCounts) -> Iterator[Packet]:
    """Yield the packets with IP or ARP of an open capture; what is left aside is counted in `tally`.

    Raises
    ------
    ReadError
        When it is no capture, or one of a kind of network that is not read.
    """
    dpkt = require("dpkt", extra="network")
    bounded = _Bounded(stream)
    try:
        head = bounded.read(4)
        joined = _Joined(head, bounded)
        is_new = head == b"\n\r\r\n"
        reader = dpkt.pcapng.Reader(joined) if is_new else dpkt.pcap.Reader(joined)
    except (dpkt.Error, ValueError) as error:
        raise ReadError(f"{name}: the head of this capture cannot be read ({error})") from error
    peel = _peeler(name, dpkt, reader.datalink())
    source = iter(reader)
    while True:
        try:
            time, data = next(source)
        except StopIteration:
            return
        except (dpkt.Error, ValueError, IndexError, OverflowError) as error:
            tally.cut = str(error) or type(error).__name__
            return
        tally.read += 1
        try:
            packet = _packet(dpkt, float(time), peel(data))
        except (dpkt.Error, ValueError, IndexError, TypeError, AttributeError):
            tally.broken += 1
            continue
        if packet is None:
            tally.other += 1
        else:
            yield packet


class _Joined:
    """The first bytes, read already, and then the rest."""

    def __init__(self, head: bytes, rest: _Bounded) -> None:
        self._head, self._rest = head, rest

    def read(self, size: int) -> bytes:
        if not self._head or size < 0:
            return self._rest.read(size)
        first, self._head = self._head[:size], self._head[size:]
        return first + self._rest.read(size - len(first)) if size > len(first) else first


def _peeler(name: str, dpkt: Any, link: int) -> Any:
    """Return what takes the header of a kind of link off a packet."""
    raw = (dpkt.pcap.DLT_RAW, 12, 14, 101, 228, 229)
    kinds = {
        dpkt.pcap.DLT_EN10MB: lambda data: dpkt.ethernet.Ethernet(data).data,
        dpkt.pcap.DLT_LINUX_SLL: lambda data: dpkt.sll.SLL(data).data,
        276: lambda data: dpkt.sll2.SLL2(data).data,
        dpkt.pcap.DLT_NULL: lambda data: _by_version(dpkt, data[4:]),
        dpkt.pcap.DLT_LOOP: lambda data: _by_version(dpkt, data[4:]),
        **dict.fromkeys(raw, lambda data: _by_version(dpkt, data)),
    }
    if link not in kinds:
        raise ReadError(
            f"{name}: link type {link} is not read; wanted Ethernet, Linux cooked, loopback or raw IP"
        )
    return kinds[link]


def _by_version(dpkt: Any, data: bytes) -> Any:
    return dpkt.ip6.IP6(data) if data[0] >> 4 == 6 else dpkt.ip.IP(data)


def _packet(dpkt: Any, time: float, ip: Any) -> Packet | None:
    """Return what is read of a packet of IP or ARP; None for another."""
    if isinstance(ip, dpkt.arp.ARP):
        return Packet(time, ip.spa, ip.tpa, ARP, 0, 0, 0, len(bytes(ip)), b"", 0)
    if isinstance(ip, dpkt.ip.IP):
        protocol, hops, size = ip.p, ip.ttl, ip.len or len(bytes(ip))
    elif isinstance(ip, dpkt.ip6.IP6):
        protocol, hops, size = ip.nxt if not ip.extension_hdrs else ip.p, ip.hlim, ip.plen + 40
    else:
        return None
    upper = ip.data
    if isinstance(upper, dpkt.tcp.TCP):
        sport, dport, flags, payload = upper.sport, upper.dport, upper.flags, upper.data
    elif isinstance(upper, dpkt.udp.UDP):
        sport, dport, flags, payload = upper.sport, upper.dport, 0, upper.data
    elif isinstance(upper, (dpkt.icmp.ICMP, dpkt.icmp6.ICMP6)):
        # As Zeek has it: the type and the code stand where ports do. A reply belongs to what it answers.
        kind = {0: 8, 129: 128}.get(upper.type, upper.type)
        sport, dport, flags, payload = kind, upper.code, 0, bytes(upper.data)
    else:
        sport, dport, flags, payload = 0, 0, 0, upper
    payload = payload if isinstance(payload, bytes) else bytes(payload)
    return Packet(time, ip.src, ip.dst, protocol, sport, dport, flags, size, payload, hops)
