"""The network: what it may not depend on, and where it starts."""

import math

import numpy as np
import pytest
import torch

from outlearn.nets.incontext import (
    FIRM,
    LEAST,
    LOG_COLUMNS,
    NARROW,
    SPARSE,
    TRUTH,
    USUAL_AUROC,
    InContextConfig,
    InContextNet,
)

CONFIG = InContextConfig(statistics=5, labels=4, verdicts=1, width=16, latents=4, heads=2)
PRIOR = torch.tensor([[2.0, 1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0, 2.0]])
B, N, M = 3, 20, 7


def network(*, trained: bool = True) -> InContextNet:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = InContextNet(CONFIG, PRIOR).eval()
        if trained:  # at the start all heads are nil, which would hide what the rest does
            for parameter in net.parameters():
                parameter.data += torch.randn_like(parameter) * 0.2
    return net


@pytest.fixture
def inputs() -> dict[str, torch.Tensor]:
    rng = torch.Generator().manual_seed(1)
    return {
        "support": torch.randn(B, N, CONFIG.profile, generator=rng) * 2,
        "y": torch.randint(-1, 2, (B, N), generator=rng),
        "mask": torch.ones(B, N, dtype=torch.bool),
        "situation": torch.rand(B, 5, generator=rng),
        "query": torch.randn(B, M, CONFIG.profile, generator=rng) * 2,
    }


def run(net: InContextNet, inputs: dict[str, torch.Tensor]) -> tuple[torch.Tensor, ...]:
    with torch.inference_mode():
        return net(**inputs)


def same(one: tuple[torch.Tensor, ...], other: tuple[torch.Tensor, ...]) -> bool:
    return all(torch.allclose(a, b, atol=1e-4) for a, b in zip(one, other, strict=True))


def test_shapes(inputs):
    logits, share, reach = run(network(), inputs)
    assert logits.shape == (B, M)
    assert share.shape == reach.shape == (B,)


def test_the_order_of_support_rows_does_not_matter(inputs):
    net, order = network(), torch.randperm(N, generator=torch.Generator().manual_seed(2))
    turned = {**inputs, "support": inputs["support"][:, order], "y": inputs["y"][:, order]}
    assert same(run(net, inputs), run(net, turned))


def test_labels_matter(inputs):
    net = network()
    assert not same(run(net, inputs), run(net, {**inputs, "y": -torch.ones_like(inputs["y"])}))


def test_rows_of_padding_do_not_matter(inputs):
    net, more = network(), 6
    padded = {
        **inputs,
        "support": torch.cat([inputs["support"], torch.full((B, more, CONFIG.profile), 9.0)], dim=1),
        "y": torch.cat([inputs["y"], torch.ones(B, more, dtype=torch.long)], dim=1),
        "mask": torch.cat([inputs["mask"], torch.zeros(B, more, dtype=torch.bool)], dim=1),
    }
    assert same(run(net, inputs), run(net, padded))
    padded["mask"] = torch.ones_like(padded["mask"])
    assert not same(run(net, inputs), run(net, padded))


def test_episodes_of_a_batch_do_not_see_each_other(inputs):
    net = network()
    together = run(net, inputs)
    for b in range(B):
        alone = run(net, {name: value[b : b + 1] for name, value in inputs.items()})
        assert same(tuple(part[b : b + 1] for part in together), alone)


def test_query_rows_do_not_see_each_other(inputs):
    net = network()
    logits, *_ = run(net, inputs)
    for m in range(M):
        alone, *_ = run(net, {**inputs, "query": inputs["query"][:, m : m + 1]})
        assert torch.allclose(alone[:, 0], logits[:, m], atol=1e-4)


def test_reading_once_and_scoring_later_is_one_forward_pass(inputs):
    net = network()
    with torch.inference_mode():
        support = [inputs[name] for name in ("support", "y", "mask", "situation")]
        scored = net.score(inputs["query"], inputs["situation"], net.read(*support), net.trust(*support))
    assert torch.allclose(scored, run(net, inputs)[0])


def situation(*, normal: float = 0.0, columns: int = 8, anomalies: int = 0) -> torch.Tensor:
    about = [0.9, math.log(columns) / LOG_COLUMNS, normal, math.log1p(anomalies) / 3, float(anomalies > 0)]
    return torch.tensor(about).expand(B, 5)


def test_the_untrained_net_is_the_mixture_of_its_start(inputs):
    F = CONFIG.statistics
    tails, deviations = inputs["query"][..., :F], inputs["query"][..., F : 2 * F]
    logits, *_ = run(network(trained=False), {**inputs, "situation": situation()})
    assert torch.allclose(logits, (deviations * PRIOR[0].softmax(0)).sum(-1) - 3.0, atol=1e-5)
    logits, *_ = run(network(trained=False), {**inputs, "situation": situation(normal=1.0)})
    ranked = torch.sigmoid(torch.tensor(-1.5))
    evidence = (1 - ranked) * deviations + ranked * tails
    assert torch.allclose(logits, (evidence * PRIOR[1].softmax(0)).sum(-1) - 3.0, atol=1e-5)


@pytest.mark.parametrize("anomalies", [0, 3])
def test_the_context_moves_the_level_and_not_the_order(inputs, anomalies):
    net = network()
    same_rows = {**inputs, "situation": situation(anomalies=anomalies)}
    same_rows["support"] = torch.zeros_like(inputs["support"])  # tells of no label: all are trusted alike
    other = {**same_rows, "support": same_rows["support"] + 0.3}
    one, two = run(net, same_rows)[0], run(net, other)[0]
    assert not torch.allclose(one, two, atol=1e-3)
    assert torch.equal(one.argsort(dim=1), two.argsort(dim=1))


def weights(net, inputs) -> torch.Tensor:
    return net.trust(*(inputs[name] for name in ("support", "y", "mask", "situation")))


def test_with_labels_trees_and_distances_count_beside_the_mixture(inputs):
    """At the start their sum as they are trusted, at e⁻¹ of the slope; wide tables can weigh the mixture."""
    F = CONFIG.statistics
    told = {**inputs, "situation": situation(anomalies=3)}
    net = network(trained=False)
    logits, *_ = run(net, told)
    mixture = (inputs["query"][..., F : 2 * F] * PRIOR[0].softmax(0)).sum(-1)
    near = -inputs["query"][..., 2 * F : -1 : 3].mean(-1)
    evidence = torch.stack([mixture, inputs["query"][..., -1], near])
    heard = (weights(net, told).T[:, :, None] * evidence).sum(0)
    assert torch.allclose(logits, math.exp(-1) * heard - 4.0, atol=1e-4)
    surer = {**told, "query": told["query"].clone()}
    surer["query"][..., -1] += 0.1
    net = network()
    assert (run(net, surer)[0] >= run(net, told)[0]).all()
    blind = situation()
    assert torch.equal(run(net, {**surer, "situation": blind})[0], run(net, {**told, "situation": blind})[0])
    net.beyond.data = torch.tensor(1.0)
    wide = situation(columns=500, anomalies=3)
    flat = {**told, "situation": wide, "query": torch.zeros_like(told["query"])}
    mixed = {**flat, "query": torch.ones_like(flat["query"])}
    mixed["query"][..., 2 * F :] = 0
    narrow = {"situation": situation(anomalies=3)}
    gain = [run(net, {**mixed, **about})[0] - run(net, {**flat, **about})[0] for about in ({}, narrow)]
    assert (gain[0] > 2 * gain[1]).all()


def test_what_ranks_the_labelled_rows_is_trusted_as_far_as_it_does(inputs):
    """Against a plain count of pairs."""
    net = network()
    told = {**inputs, "situation": situation(anomalies=3)}
    trust = weights(net, told)
    with torch.inference_mode():
        evidence = net.evidence(told["support"], told["situation"])
    for b in range(B):
        odd = [i for i in range(N) if told["y"][b, i] == 1]
        rest = [i for i in range(N) if told["mask"][b, i] and i not in odd]
        assert odd
        for w, (usual, power, own) in enumerate(zip(USUAL_AUROC, FIRM, (0, 1, 1), strict=True)):
            value = evidence[b, :, w].tolist()
            pairs = [(value[i] > value[j]) + 0.5 * (value[i] == value[j]) for i in odd for j in rest]
            count = len(odd) - own
            expected = (count * np.mean(pairs) + TRUTH * usual) / (count + TRUTH)
            expected = min(max(expected, 0.5), 0.995)
            plain = (math.log(expected / (1 - expected)) / math.log(usual / (1 - usual))) ** power
            plain = max(plain, LEAST) if w == 0 else plain
            assert trust[b, w].item() == pytest.approx(plain, rel=1e-3, abs=1e-4)


def test_labels_that_nothing_bears_out_leave_the_mixture(inputs):
    """Trees that rank the labelled rows last are not heard; without labels nothing is weighed."""
    net = network()
    told = {**inputs, "situation": situation(anomalies=3)}
    told["support"] = inputs["support"].clone()
    told["support"][..., -1] = torch.where(inputs["y"] == 1, -9.0, 9.0)
    assert (weights(net, told)[:, 1] == 0).all()
    told["support"][..., -1] *= -1
    assert (weights(net, told)[:, 1] > 1).all()
    told["y"] = -torch.ones_like(inputs["y"])
    assert (weights(net, told) == 1).all()


def test_in_wide_tables_few_labels_count_less(inputs):
    net = network()
    narrow, wide = (
        weights(net, {**inputs, "situation": situation(columns=columns, anomalies=3)})
        for columns in (8, 10_000)
    )
    count = (inputs["y"] == 1).sum(1).float()
    assert torch.allclose(wide[:, 1:], narrow[:, 1:] * (count / (count + SPARSE))[:, None], atol=1e-5)


def test_narrow_tables_share_one_mixture_and_wide_ones_have_another():
    net = network()
    with torch.inference_mode():
        mixtures = {columns: net.mixture(situation(columns=columns))[0] for columns in (2, NARROW, 65, 300)}
    assert torch.equal(mixtures[2], net.prior[0].softmax(0))
    assert torch.allclose(mixtures[2], mixtures[NARROW], atol=1e-6)
    assert torch.allclose(mixtures[NARROW], mixtures[65], atol=0.01)  # no jump
    assert not torch.allclose(mixtures[2], mixtures[300], atol=0.01)
    assert all(torch.isclose(mixture.sum(), torch.tensor(1.0)) for mixture in mixtures.values())


def test_drift_is_nil_at_the_start():
    assert network(trained=False).drift() == 0
    assert network().drift() > 0


def test_very_far_rows_keep_their_order(inputs):
    """Inputs of the layers are bounded; the deviations and tails that the mixture weighs are not."""
    query = torch.zeros(1, 3, CONFIG.profile)
    query[0, :, : 2 * CONFIG.statistics] = torch.tensor([20.0, 200.0, 2000.0])[:, None]
    one = {name: value[:1] for name, value in inputs.items()}
    logits, *_ = run(network(), {**one, "query": query})
    assert torch.isfinite(logits).all()
    assert logits[0, 0] < logits[0, 1] < logits[0, 2]


def test_the_judge_reads_and_steers_nothing(inputs):
    net = network()
    _, share, reach = net(**inputs)
    torch.autograd.backward((share + reach).sum())
    moved = {name for name, value in net.named_parameters() if value.grad is not None}
    assert moved == {name for name, _ in net.named_parameters() if name.startswith("judge.")}


def test_the_judge_reads_the_shape_of_the_scores(inputs):
    net, everywhere = network(), inputs["mask"]
    context = torch.zeros(B, CONFIG.width)
    scores = torch.linspace(-3, 3, N).expand(B, N)
    one, other = (net.verdict(inputs["situation"], context, z, everywhere) for z in (scores, scores * 0.2))
    assert not same(one, other)
    assert same(one, net.verdict(inputs["situation"], context, scores.flip(1), everywhere))


def test_strangeness_is_the_distance_from_what_was_trained_on_in_that_situation():
    """Of correlated contexts 1 in 100 lies beyond 1, and the unit is that of Mahalanobis."""
    net, rng = network(), torch.Generator().manual_seed(3)
    kinds = (situation(), situation(normal=1.0), situation(anomalies=2))
    for about in kinds:
        assert torch.equal(
            net.strangeness(torch.randn(B, CONFIG.width, generator=rng), about), torch.zeros(B)
        )
    mixing = torch.randn(CONFIG.width, CONFIG.width, generator=rng)
    contexts = torch.randn(3, 2000, CONFIG.width, generator=rng) @ mixing
    contexts += torch.tensor([0.0, 5.0, -5.0])[:, None, None]
    abouts = torch.stack([about[:1].expand(2000, 5) for about in kinds])
    net.remember(contexts.flatten(0, 1), abouts.flatten(0, 1))
    for each, about in zip(contexts, abouts, strict=True):
        there = net.strangeness(each, about)
        assert (there > 1).float().mean() == pytest.approx(0.01, abs=0.002)
        centre, covariance = each.mean(0), torch.cov(each.T, correction=0).double()
        covariance += 1e-2 * covariance.diagonal().mean() * torch.eye(CONFIG.width)
        offset = (each - centre).double()
        distance = (offset @ torch.linalg.inv(covariance) * offset).sum(1).sqrt()
        assert torch.allclose(there.double() * torch.quantile(distance, 0.99), distance, rtol=1e-2)
        assert (net.strangeness(each + 50 * mixing[:1], about) > 5).all()
