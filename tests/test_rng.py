"""Seeds."""

import numpy as np

from outlearn.rng import derive, generator


def draws(rng: np.random.Generator) -> list[int]:
    return rng.integers(2**31, size=8).tolist()


def test_an_int_gives_the_same_stream_and_none_a_fresh_one():
    assert draws(generator(7)) == draws(generator(7)) != draws(generator(8))
    assert draws(generator(None)) != draws(generator(None))


def test_a_generator_is_taken_as_it_is():
    rng = np.random.default_rng(0)
    assert generator(rng) is rng


def test_a_random_state_seeds_a_stream_and_moves_on():
    state = np.random.RandomState(3)
    first, second = draws(generator(state)), draws(generator(state))
    assert first != second
    assert first == draws(generator(np.random.RandomState(3)))


def test_a_path_has_a_stream_of_its_own_whatever_was_drawn_before():
    before = draws(derive(0, 1, 2))
    draws(derive(0))
    assert draws(derive(0, 1, 2)) == before
    streams = [derive(0), derive(0, 1), derive(0, 2), derive(0, 1, 2), derive(0, 2, 1), derive(1, 1, 2)]
    assert len({tuple(draws(rng)) for rng in streams}) == len(streams)
