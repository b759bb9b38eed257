"""Captures of packets: conversations become flows as Zeek names them; hostile files end in a clear error."""

import gzip
import io
import random
import socket
import struct

import dpkt
import pytest

from outlearn.data.readers import open_source
from outlearn.data.readers.flow_assembly import MOST, flows
from outlearn.data.readers.packets import ACK, FIN, PSH, RST, SYN, TCP, UDP, Packet
from outlearn.errors import ReadError

HERE, THERE = "10.0.0.5", "192.0.2.7"


def ip(payload, protocol, source=HERE, target=THERE):
    made = dpkt.ip.IP(src=socket.inet_aton(source), dst=socket.inet_aton(target), p=protocol, data=payload)
    made.len = len(made)
    return bytes(dpkt.ethernet.Ethernet(data=made, type=0x0800))


def tcp(flags, data=b"", back=False, sport=4000, dport=443):
    ends = (sport, dport) if not back else (dport, sport)
    hosts = (HERE, THERE) if not back else (THERE, HERE)
    made = dpkt.tcp.TCP(sport=ends[0], dport=ends[1], flags=flags, data=data)
    return ip(made, 6, *hosts)


def udp(data, back=False, sport=5000, dport=53):
    ends = (sport, dport) if not back else (dport, sport)
    hosts = (HERE, THERE) if not back else (THERE, HERE)
    made = dpkt.udp.UDP(sport=ends[0], dport=ends[1], data=data)
    made.ulen = len(made)
    return ip(made, 17, *hosts)


TALK = [
    (0.0, tcp(SYN)),
    (0.1, tcp(SYN | ACK, back=True)),
    (0.2, tcp(ACK)),
    (0.3, tcp(PSH | ACK, b"\x16\x03\x01" + b"a" * 97)),
    (0.5, tcp(PSH | ACK, b"b" * 400, back=True)),
    (1.0, tcp(FIN | ACK)),
    (1.5, tcp(FIN | ACK, back=True)),
]


def capture(packets, kind=dpkt.pcap, **settings):
    file = io.BytesIO()
    writer = kind.Writer(file, **settings)
    for time, data in packets:
        writer.writepkt(data, ts=time)
    return file.getvalue()


def read(tmp_path, data, name="a.pcap"):
    path = tmp_path / name
    path.write_bytes(data)
    return open_source(path)


@pytest.mark.parametrize("kind", [dpkt.pcap, dpkt.pcapng])
def test_a_conversation_is_one_flow(tmp_path, kind):
    source = read(tmp_path, capture(TALK, kind))
    (flow,) = source.read().to_dicts()
    assert (flow["id.orig_h"], flow["id.orig_p"]) == (HERE, 4000)
    assert (flow["id.resp_h"], flow["id.resp_p"]) == (THERE, 443)
    assert (flow["proto"], flow["service"], flow["conn_state"]) == ("tcp", "tls", "SF")
    assert flow["history"] == "ShADdFf"
    assert (flow["orig_bytes"], flow["resp_bytes"]) == (100, 400)
    assert (flow["orig_pkts"], flow["resp_pkts"]) == (4, 3)
    assert (flow["orig_ip_bytes"], flow["resp_ip_bytes"]) == (4 * 40 + 100, 3 * 40 + 400)
    assert flow["duration"] == pytest.approx(1.5)
    assert flow["received entropy"] == 0 and flow["largest payload"] == 400
    assert source.notes == ("7 packets make 1 flows",) and source.rows == 1


@pytest.mark.parametrize(
    ("talk", "state"),
    [
        ([tcp(SYN)], "S0"),
        ([tcp(SYN), tcp(RST | ACK, back=True)], "REJ"),
        ([tcp(SYN), tcp(SYN | ACK, back=True)], "S1"),
        ([tcp(SYN), tcp(SYN | ACK, back=True), tcp(RST)], "RSTO"),
        ([tcp(SYN), tcp(SYN | ACK, back=True), tcp(RST, back=True)], "RSTR"),
        ([tcp(SYN), tcp(SYN | ACK, back=True), tcp(FIN | ACK)], "S2"),
        ([tcp(SYN), tcp(FIN)], "SH"),
        ([tcp(ACK, b"x")], "OTH"),
        ([udp(b"x" * 20)], "S0"),
        ([udp(b"x" * 20), udp(b"y" * 20, back=True)], "SF"),
    ],
)
def test_states_are_those_of_zeek(tmp_path, talk, state):
    frame = read(tmp_path, capture(list(enumerate(talk)))).read()
    assert frame["conn_state"].to_list() == [state]


def test_who_answers_did_not_begin(tmp_path):
    frame = read(tmp_path, capture([(0.0, tcp(SYN | ACK, back=True)), (0.1, tcp(ACK))])).read()
    assert frame["id.orig_h"].to_list() == [HERE]


def test_an_end_and_a_new_beginning_are_two_flows_and_so_is_a_long_wait(tmp_path):
    again = [(time + 10, data) for time, data in TALK]
    assert read(tmp_path, capture(TALK + again)).rows == 2
    assert read(tmp_path, capture([(0, udp(b"x" * 20)), (30, udp(b"x" * 20))])).rows == 1
    assert read(tmp_path, capture([(0, udp(b"x" * 20)), (100, udp(b"x" * 20))])).rows == 2


def test_names_that_are_asked_for_are_counted(tmp_path):
    asked = [bytes(dpkt.dns.DNS(id=i, qd=[dpkt.dns.DNS.Q(name=f"{'q' * i}.example.org")])) for i in (1, 30)]
    frame = read(tmp_path, capture([(i, udp(each)) for i, each in enumerate(asked)])).read()
    (flow,) = frame.to_dicts()
    assert (flow["service"], flow["names asked"]) == ("dns", 2)
    assert flow["longest name asked"] == len("q" * 30 + ".example.org.")


def test_an_echo_and_its_answer_are_one_flow_and_addresses_asked_for_are_flows(tmp_path):
    def echo(kind, hosts):
        made = dpkt.icmp.ICMP(type=kind, data=dpkt.icmp.ICMP.Echo(id=1, seq=1, data=b"ping" * 8))
        return ip(made, 1, *hosts)

    arp = dpkt.arp.ARP(spa=socket.inet_aton(HERE), tpa=socket.inet_aton(THERE))
    asked = bytes(dpkt.ethernet.Ethernet(data=arp, type=0x0806))
    packets = [(0.0, asked), (0.1, echo(8, (HERE, THERE))), (0.2, echo(0, (THERE, HERE)))]
    frame = read(tmp_path, capture(packets)).read().sort("ts")
    assert frame["proto"].to_list() == ["arp", "icmp"]
    assert frame["id.orig_h"].to_list() == [HERE, HERE]
    assert frame["resp_pkts"].to_list() == [0, 1]


def test_packed_captures_and_raw_links_are_read_and_other_links_refused(tmp_path):
    assert read(tmp_path, gzip.compress(capture(TALK)), "a.pcap.gz").rows == 1
    raw = [(time, data[14:]) for time, data in TALK]
    assert read(tmp_path, capture(raw, linktype=101)).rows == 1
    with pytest.raises(ReadError, match="link type 105"):
        read(tmp_path, capture(raw, linktype=105))


def test_a_capture_that_is_cut_short_gives_what_it_holds_and_says_so(tmp_path):
    source = read(tmp_path, capture(TALK)[:-30])
    assert source.rows == 1 and source.read()["resp_pkts"].to_list() == [2]
    assert "cut short or damaged after 6 packets" in source.notes[-1]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (capture([]), "no packet with IP"),
        (capture([])[:10], "head of this capture cannot be read"),
        (b"\n\r\r\n" + b"\xff" * 60, "head of this capture cannot be read"),
        (capture([]) + struct.pack("<IIII", 0, 0, 0xFFFFFFF0, 0xFFFFFFF0) + b"x" * 99, "no packet with IP"),
        (capture([(0, b"\x00" * 5)]), "1 packets"),
    ],
)
def test_what_is_damaged_or_lies_about_its_size_is_refused(tmp_path, data, words):
    with pytest.raises(ReadError, match=words):
        read(tmp_path, data)


@pytest.mark.parametrize("kind", [dpkt.pcap, dpkt.pcapng])
def test_no_change_of_bytes_ends_in_anything_but_flows_or_a_clear_error(tmp_path, kind):
    whole = capture([*TALK, (2.0, udp(b"q" * 40)), (2.5, udp(b"r" * 90, back=True))], kind)
    rng = random.Random(0)
    read_through = 0
    for _ in range(300):
        data = bytearray(whole)
        for _ in range(rng.randint(1, 8)):
            data[rng.randrange(4, len(data))] = rng.randrange(256)
        try:
            frame = read(tmp_path, bytes(data[: rng.randint(40, len(data))])).read()
        except ReadError:
            continue
        assert frame.height > 0
        read_through += 1
    assert read_through > 50


def test_open_flows_are_bounded():
    def packets():
        for i in range(MOST + 500):
            source = struct.pack(">I", i)
            yield Packet(i * 1e-6, source, b"\x0a\x00\x00\x01", UDP, 1, 2, 0, 28, b"", 64)

    found = flows(packets())
    early = [next(found) for _ in range(500)]
    assert len(early) + sum(1 for _ in found) == MOST + 500


def test_a_flow_that_lasts_is_told_of_in_parts():
    def packets():
        for i in range(200):
            yield Packet(i * 60.0, b"\x0a\x00\x00\x02", b"\x0a\x00\x00\x01", TCP, 1, 2, ACK, 40, b"", 64)

    assert len(list(flows(packets()))) == 4
