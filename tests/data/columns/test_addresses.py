"""Addresses count by themselves where they repeat, else by their networks."""

import numpy as np
import polars as pl
import pytest

from outlearn.data.columns import CategoricalEncoder
from outlearn.data.columns.addresses import WHOLE, level_of, networks_of
from outlearn.data.infer import infer_schema
from outlearn.data.schema import Kind

RNG = np.random.default_rng(0)
KINDS = {
    "v4": ([f"10.{a}.{b}.{c}" for a, b, c in RNG.integers(0, 9, (200, 3))], "185.220.101.4"),
    "v6": ([f"2001:db8:0:{a:x}::{b:x}" for a, b in RNG.integers(1, 900, (200, 2))], "2a02:26f0:9:1::7"),
    "mac": (
        [f"00:1b:44:{a:02x}:{b:02x}:{c:02x}" for a, b, c in RNG.integers(0, 250, (200, 3))],
        "f0:18:98:01:02:03",
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_an_address_of_a_network_never_seen_is_rarer_than_a_new_one_of_a_known_network(kind):
    cells, foreign = KINDS[kind]
    column = infer_schema(pl.DataFrame({"peer": cells}))["peer"]
    assert (column.kind, column.note) == (Kind.CATEGORICAL, "addresses, compared by their networks")
    encoder = CategoricalEncoder.fit("peer", pl.Series(cells))
    assert CategoricalEncoder.from_state(encoder.to_state()) == encoder and encoder.level != WHOLE
    rarity = encoder.encode(pl.Series([cells[0], foreign, None]))[0][:, 0]
    assert rarity[1] > rarity[0]
    assert encoder.encode(pl.Series([foreign]))[1].unseen == 1


def test_addresses_that_repeat_count_by_themselves():
    cells = pl.Series([f"10.0.0.{i % 9}" for i in range(60)])
    assert level_of(cells) == WHOLE and networks_of(cells, WHOLE) is cells
    encoder = CategoricalEncoder.fit("ip", cells)
    assert "10.0.0.3" in encoder.values and "level" not in encoder.to_state()
