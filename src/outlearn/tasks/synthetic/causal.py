"""Structural causal models: a random graph of small noisy functions, of which some nodes are seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from outlearn.tasks.synthetic.world import Rows, World

__all__ = ["causal"]

_FORMS = ("linear", "net", "wave", "step", "product")


@dataclass(frozen=True, slots=True)
class _Node:
    """value = (form(parents) − mean) / scale · signal + noise; roots are noise around modes."""

    parents: NDArray[np.int64]  # (p,)
    form: str
    inner: NDArray[np.float64]  # (p, 4)
    outer: NDArray[np.float64]  # (4,)
    noise: float
    modes: NDArray[np.float64]  # (k,), roots only
    freedom: float
    mean: float = 0.0
    scale: float = 1.0

    def raw(self, parents: Rows) -> NDArray[np.float64]:
        hidden = parents @ self.inner
        if self.form == "linear":
            value = hidden[:, 0]
        elif self.form == "net":
            value = np.tanh(hidden + self.outer) @ self.outer
        elif self.form == "wave":
            value = np.sin(1.5 * hidden[:, 0] + self.outer[0]) + 0.3 * hidden[:, 1]
        elif self.form == "step":
            value = np.sign(hidden[:, 0] - 0.5 * self.outer[0]) + 0.2 * hidden[:, 1]
        else:
            value = hidden[:, 0] * np.tanh(hidden[:, 1])
        return np.asarray(value)


@dataclass(frozen=True, slots=True)
class _Graph:
    nodes: tuple[_Node, ...]
    seen: NDArray[np.int64]  # (d,) which nodes are columns

    def run(self, rng: np.random.Generator, rows: int, done: Mapping[int, Rows] | None = None) -> Rows:
        """Draw every node in order, (rows, nodes); `done` maps a node to values, NaN where left alone."""
        values = np.empty((rows, len(self.nodes)))
        for i, node in enumerate(self.nodes):
            values[:, i] = _draw_node(rng, node, values[:, node.parents])
            if done and i in done:
                values[:, i] = np.where(np.isnan(done[i]), values[:, i], done[i])
        return values


def _draw_node(rng: np.random.Generator, node: _Node, parents: Rows) -> NDArray[np.float64]:
    rows = len(parents)
    noise = rng.normal(size=rows) * node.noise
    if np.isfinite(node.freedom):
        noise /= np.sqrt(rng.chisquare(node.freedom, rows) / node.freedom)
    if len(node.parents) == 0:
        return np.asarray(node.modes[rng.integers(len(node.modes), size=rows)] + noise)
    return np.asarray((node.raw(parents) - node.mean) / node.scale + noise)


def causal(rng: np.random.Generator, columns: int) -> World:
    """Draw a world of `columns` seen nodes among up to half as many hidden ones.

    The other class has some mechanisms of its own; an intervention sets, row by row, one node from outside
    and lets the consequences follow.

    >>> world = causal(np.random.default_rng(0), 4)
    >>> world.normal(np.random.default_rng(1), 6).shape
    (6, 4)
    """
    total = columns + int(rng.integers(1, max(2, columns // 2) + 1))
    seen = rng.permutation(total)[:columns]
    graph = _draw_graph(rng, total, seen)

    def normal(rng: np.random.Generator, rows: int) -> Rows:
        return graph.run(rng, rows)[:, seen]

    def other(rng: np.random.Generator, rows: int, strength: float) -> Rows:
        return _other_mechanisms(rng, graph, strength).run(rng, rows)[:, seen]

    def intervene(rng: np.random.Generator, rows: int, strength: float) -> Rows:
        return graph.run(rng, rows, _interventions(rng, total, rows, strength))[:, seen]

    return World(normal, other, intervene)


def _draw_graph(rng: np.random.Generator, total: int, seen: NDArray[np.int64]) -> _Graph:
    forms = rng.choice(_FORMS, size=total, p=rng.dirichlet(np.ones(len(_FORMS))))
    noise = np.exp(rng.uniform(np.log(0.05), np.log(0.7)))
    roots = max(1, int(rng.integers(1, max(2, total // 3) + 1)))
    freedom = float(rng.uniform(3, 10)) if rng.random() < 0.3 else np.inf
    nodes: list[_Node] = []
    pilot = np.empty((128, total))
    for i, form in enumerate(forms):
        count = 0 if i < roots else int(rng.integers(1, min(i, 4) + 1))
        node = _draw_node_shape(rng, i, count, str(form), noise, freedom)
        if count:
            raw = node.raw(pilot[:, node.parents])
            node = replace(node, mean=float(raw.mean()), scale=float(raw.std()) + 1e-3)
        pilot[:, i] = _draw_node(rng, node, pilot[:, node.parents])
        nodes.append(node)
    return _Graph(tuple(nodes), seen)


def _draw_node_shape(
    rng: np.random.Generator, position: int, count: int, form: str, noise: float, freedom: float
) -> _Node:
    parents = rng.permutation(position)[:count]
    modes = rng.normal(0, 1.2, size=int(rng.integers(1, 4)))
    own = noise * np.exp(rng.normal(0, 0.4)) if count else rng.uniform(0.2, 1.0)
    return _Node(parents, form, rng.normal(size=(count, 4)), rng.normal(size=4), float(own), modes, freedom)


def _other_mechanisms(rng: np.random.Generator, graph: _Graph, strength: float) -> _Graph:
    """Move the modes of some roots and turn the weights of some functions."""
    nodes = list(graph.nodes)
    changed = rng.permutation(len(nodes))[
        : max(1, round(len(nodes) * rng.uniform(0.2, 0.4 + 0.6 * strength)))
    ]
    for i in changed:
        node = nodes[i]
        if len(node.parents) == 0:
            one = rng.choice(node.modes, size=1)
            nodes[i] = replace(
                node, modes=one + strength * rng.normal(0, 3), noise=node.noise * rng.uniform(0.4, 1.2)
            )
        else:
            inner = node.inner + 2 * strength * rng.normal(size=node.inner.shape)
            nodes[i] = replace(node, inner=inner)
    return replace(graph, nodes=tuple(nodes))


def _interventions(rng: np.random.Generator, total: int, rows: int, strength: float) -> dict[int, Rows]:
    """Choose a few nodes once, and for each row which of them is set and to what."""
    targets = rng.permutation(total)[: int(rng.integers(1, max(2, total // 3) + 1))]
    which = rng.integers(len(targets), size=rows)
    value = rng.normal(0, 1 + 4 * strength, size=rows)
    return {int(node): np.where(which == t, value, np.nan) for t, node in enumerate(targets)}
