"""Executors: order, bounded memory, errors, and processes that start afresh."""

import math
import os
import signal
import time
from collections.abc import Iterator
from functools import partial
from multiprocessing import active_children

import numpy as np
import pytest
from sklearn.metrics import pairwise_distances_argmin
from threadpoolctl import threadpool_info

from outlearn.execute import Processes, Serial, Threads


@pytest.fixture(scope="module")
def pool() -> Iterator[Processes]:
    with Processes(2, ahead=2) as processes:
        yield processes


def test_serial_work_waits_until_it_is_asked_for():
    seen = []
    results = Serial().map(seen.append, [1, 2, 3])
    assert seen == []
    next(results)
    assert seen == [1]


def test_results_come_in_the_order_of_the_items(pool):
    items = list(range(-20, 20))
    assert list(pool.map(abs, items)) == list(Serial().map(abs, items)) == [abs(i) for i in items]
    assert list(pool.map(abs, [])) == []


def test_few_items_are_in_flight_at_once(pool):
    taken = []

    def items() -> Iterator[int]:
        for item in range(100):
            taken.append(item)
            yield item

    results = pool.map(abs, items())
    assert next(results) == 0
    assert len(taken) <= 4  # two workers, two items each
    assert list(results) == list(range(1, 100))


def test_processes_that_are_not_kept_end_with_their_work():
    with Processes(1, keep=False) as processes:
        first, second = (list(processes.map(_process, range(2))) for _ in range(2))
        assert len({*first, *second}) == 2
        assert not {child.pid for child in active_children()} & {*first, *second}


def _process(_: int) -> int:
    return os.getpid()


def test_an_error_in_a_worker_reaches_the_caller(pool):
    with pytest.raises(ValueError, match="math domain error"):
        list(pool.map(math.sqrt, [1.0, -1.0]))
    assert list(pool.map(math.sqrt, [4.0])) == [2.0]


def test_workers_run_openmp_though_this_process_has(pool):
    points = np.random.default_rng(0).normal(size=(2000, 3))
    nearest = partial(pairwise_distances_argmin, Y=points)
    here = nearest(points)  # in a forked process the second such call would wait for ever
    (there,) = pool.map(nearest, [points])
    assert np.array_equal(here, there)


def test_unfinished_work_is_dropped_when_the_block_fails():
    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt), Processes(2) as processes:
        results = processes.map(time.sleep, [0, 100, 100, 100, 100, 100, 100, 100, 100])
        next(results)
        raise KeyboardInterrupt
    assert time.monotonic() - start < 50


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="Windows")
def test_a_signal_to_all_is_for_the_one_that_started_the_others(pool):
    (worker,) = set(pool.map(_process, [0]))
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        os.kill(worker, number)
    assert list(pool.map(abs, range(-8, 0))) == list(range(8, 0, -1))


def test_threads_keep_libraries_to_one_thread_each_and_leave_them_as_they_were():
    def limits(_: object) -> list[int]:
        return [library["num_threads"] for library in threadpool_info()]

    before = limits(None)
    inside = list(Threads(2).map(limits, range(4)))
    assert before and all(counts == [1] * len(before) for counts in inside)
    assert limits(None) == before
    assert list(Threads(1).map(abs, [-1, 2])) == [1, 2]
