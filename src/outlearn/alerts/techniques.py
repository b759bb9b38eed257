"""MITRE ATT&CK techniques, each where a rule on what is seen of a flow supports it, and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from outlearn.data.kinds.flows.features import FAILED, FEATURES

__all__ = ["RULES", "Technique", "TechniqueRule", "technique_masks", "techniques_of"]

SITE = "https://attack.mitre.org/techniques"
LOGIN = tuple(f"port {port}" for port in (21, 22, 23, 3389, 5900))  # FTP, SSH, Telnet, RDP, VNC
WEB = tuple(f"port {port}" for port in (80, 443, 8080, 8443))


@dataclass(frozen=True, slots=True)
class Technique:
    """A technique by its id and name, with the words of the rule that supports it."""

    id: str
    name: str
    words: str

    @property
    def reference(self) -> str:
        """The page of the technique.

        >>> Technique("T1498.001", "Direct Network Flood", "").reference
        'https://attack.mitre.org/techniques/T1498/001/'
        """
        return f"{SITE}/{self.id.replace('.', '/')}/"


@dataclass(frozen=True, slots=True)
class TechniqueRule:
    """A technique, and the condition on `flows.FEATURES` that supports it."""

    technique: Technique
    when: pl.Expr


def _rule(id: str, name: str, words: str, *conditions: pl.Expr) -> TechniqueRule:
    return TechniqueRule(Technique(id, name, words), pl.all_horizontal(conditions).fill_null(value=False))


def _proto(*names: str) -> pl.Expr:
    return pl.col("protocol").is_in(names)


_targets, _ports = pl.col("targets of the source in a minute"), pl.col("ports of the source in a minute")
_one_to_one = pl.col("direction") != "to many"  # multicast is never answered
# Exporters that tell one direction only leave open what failed; there a share of failures means nothing.
_known = pl.col("received packets").is_not_null() | pl.col("received bytes").is_not_null()
_no_answer = _known & (pl.col("received packets").fill_null(0.0) == 0)
_failed = _no_answer | (_known & pl.col("state").is_in(FAILED))
# Of these a connection of up to three packets without content came to nothing.
_empty = ~_known & (pl.col("sent packets") <= 3) & (pl.col("bytes a sent packet") <= 64)
_came_to_nothing = _failed | (_empty & (pl.col("protocol") == "tcp"))


def _most_fail(share: float) -> pl.Expr:
    return ~_known | (pl.col("failed share of the source in a minute") >= share)


_to_target = pl.col("flows to the target in a minute")
_pair = pl.col("flows of the pair in an hour")
_port = pl.col("target port")
_outward = pl.col("direction").is_in(["outward", "outside"])
_even = (
    (pl.col("unevenness of gaps of the pair") <= 0.1)
    & (pl.col("unevenness of sizes of the pair") <= 0.1)
    & _pair.is_between(20, 720)  # from every three minutes to every five seconds
)

#: Thresholds are set so that browsing, name service, mail, monitoring and file sharing stay below them: a
#: rule that is silent on an attack costs less than one that names ordinary traffic.
RULES: tuple[TechniqueRule, ...] = (
    _rule(
        "T1046",
        "Network Service Discovery",
        "one source asks 20 or more targets at few ports within the minute, and most come to nothing",
        # Peers of file sharing have a port each; a sweep asks for the same few everywhere.
        *(_proto("tcp", "udp"), _one_to_one, _targets >= 20, _ports <= _targets / 4),
        *(_most_fail(0.7), _came_to_nothing),
    ),
    _rule(
        "T1046",
        "Network Service Discovery",
        "one source asks 20 or more ports of few targets within the minute, and most come to nothing",
        *(_proto("tcp", "udp"), _one_to_one, _ports >= 20, _targets <= _ports / 4),
        *(_most_fail(0.7), _came_to_nothing),
    ),
    _rule(
        "T1018",
        "Remote System Discovery",
        "one source asks 15 or more targets by ICMP within the minute, and a third or more are silent",
        # Those that watch hosts ask as many, of which few are silent.
        *(_proto("icmp"), _one_to_one, _targets >= 15, _known, _most_fail(0.33)),
    ),
    _rule(
        "T1018",
        "Remote System Discovery",
        "one source asks for 20 or more addresses by ARP within the minute, and most are not there",
        *(_proto("arp"), _targets >= 20, _most_fail(0.7), _no_answer),
    ),
    _rule(
        "T1110",
        "Brute Force",
        "20 or more short connections of one pair to a login service within the hour, ten within the minute",
        *(
            _proto("tcp"),
            _port.is_in(LOGIN) | (pl.col("service") == "ssh"),
            _pair >= 20,
            pl.col("duration") <= 60.0,
            ~_no_answer,
        ),
        # A connection that was not refused and yet carries little: a login that led to nothing.
        *(pl.col("flows of the source in a minute") >= 10, _targets <= 5),
        pl.col("received bytes").is_between(1, 20_000),
    ),
    _rule(
        "T1071.001",
        "Web Protocols",
        "20 or more calls of one pair outward to a web port within the hour, evenly spaced and all alike; "
        "a program that asks for news looks the same",
        *(_proto("tcp"), _outward, _port.is_in(WEB), _even, ~_no_answer),
    ),
    _rule(
        "T1571",
        "Non-Standard Port",
        "20 or more calls of one pair outward to a port of no known service within the hour, evenly spaced "
        "and all alike",
        *(_proto("tcp"), _outward, _port.is_in(["registered", "dynamic"])),
        *(_even, ~_no_answer),
    ),
    _rule(
        "T1048",
        "Exfiltration Over Alternative Protocol",
        "questions to the name service carry 100 bytes or more each, 5 kB in all",
        *((_port == "port 53") & _one_to_one, pl.col("bytes a sent packet") >= 100),
        *(pl.col("sent bytes") >= 5_000, _known),
    ),
    _rule(
        "T1095",
        "Non-Application Layer Protocol",
        "messages of ICMP carry 150 bytes or more each, where a ping has 32 to 64, 10 kB in all",
        *(_proto("icmp"), _one_to_one, pl.col("bytes a sent packet") >= 150, pl.col("sent bytes") >= 10_000),
    ),
    _rule(
        "T1499.001",
        "OS Exhaustion Flood",
        "2,000 or more connections to one target within the minute, at few ports, that come to nothing",
        *(_proto("tcp"), _to_target >= 2_000, pl.col("ports of the target in a minute") <= 3, _failed),
        _most_fail(0.9),
    ),
    _rule(
        "T1498.001",
        "Direct Network Flood",
        "2,000 or more flows of UDP or ICMP from 50 or more sources outside to one target within the minute, "
        "unanswered",
        *(_proto("udp", "icmp"), pl.col("direction").is_in(["inward", "outside"]), _to_target >= 2_000),
        *(pl.col("sources of the target in a minute") >= 50, _no_answer),
    ),
)


def technique_masks(view: pl.DataFrame) -> NDArray[np.uint32]:
    """Return (n,) numbers whose bit i says that `RULES[i]` holds; all 0 where rows are no flows.

    view : rows of `flows.flow_view`.

    >>> technique_masks(pl.DataFrame({"a": [1, 2]}))
    array([0, 0], dtype=uint32)
    """
    masks = np.zeros(view.height, np.uint32)
    if not set(FEATURES) <= set(view.columns):
        return masks
    held = view.select(rule.when.alias(str(bit)) for bit, rule in enumerate(RULES))
    for bit in range(len(RULES)):
        masks |= held[str(bit)].to_numpy().astype(np.uint32) << np.uint32(bit)
    return masks


def techniques_of(mask: int) -> tuple[Technique, ...]:
    """Return the techniques of a mask, in the order of `RULES`, each id once.

    >>> [technique.id for technique in techniques_of(0b111)]
    ['T1046', 'T1018']
    """
    supported = (rule.technique for bit, rule in enumerate(RULES) if mask >> bit & 1)
    return tuple({technique.id: technique for technique in reversed(list(supported))}.values())[::-1]
