"""Slow and plain: meta-gradients with a copy of the module for every task and step, and plain autograd."""

from copy import deepcopy

import torch


def put(module, params):
    """Return a copy of the module whose parameters are the given tensors, graph and all."""
    copy = deepcopy(module)
    for name, value in params.items():
        owner, _, leaf = name.rpartition(".")
        part = copy.get_submodule(owner)
        del part._parameters[leaf]
        setattr(part, leaf, value)
    return copy


def adapt(module, theta, task, loss, *, steps, rate, second_order, names=None, penalty=0.0):
    """Return the parameters after each step; rate is a number or a function of (step, name)."""
    x, y = task[0], task[1]
    names = list(theta) if names is None else names
    rate_of = rate if callable(rate) else lambda step, name: rate
    phi, path = dict(theta), [dict(theta)]
    for step in range(steps):
        value = loss(put(module, phi)(x), y).mean()
        value = value + 0.5 * penalty * sum(((phi[n] - theta[n]) ** 2).sum() for n in names)
        grads = torch.autograd.grad(value, [phi[n] for n in names], create_graph=second_order)
        phi = phi | {n: phi[n] - rate_of(step, n) * g for n, g in zip(names, grads, strict=True)}
        path.append(phi)
    return path


def maml(module, theta, tasks, loss, *, wanted=None, second_order=True, **how):
    """Return the meta-gradient: that of the mean query loss with respect to theta, or to `wanted` too."""
    theta = {n: v.detach().requires_grad_() for n, v in theta.items()}
    leaves = list(theta.values()) + list(wanted or [])
    total = 0.0
    for task in tasks:
        phi = adapt(module, theta, task, loss, second_order=second_order, **how)[-1]
        total = total + loss(put(module, phi)(task[2]), task[3]).mean() / len(tasks)
    return torch.autograd.grad(total, leaves)


def fomaml(module, theta, tasks, loss, **how):
    """Return the mean over tasks of the query gradient at the adapted parameters."""
    total = [torch.zeros_like(v) for v in theta.values()]
    for task in tasks:
        start = {n: v.detach().requires_grad_() for n, v in theta.items()}
        phi = adapt(module, start, task, loss, second_order=False, **how)[-1]
        phi = {n: v.detach().requires_grad_() for n, v in phi.items()}
        value = loss(put(module, phi)(task[2]), task[3]).mean()
        grads = torch.autograd.grad(value, list(phi.values()))
        total = [t + g / len(tasks) for t, g in zip(total, grads, strict=True)]
    return total


def reptile(module, theta, tasks, loss, **how):
    """Return the mean over tasks of theta - phi, with support and query together as the support."""
    total = [torch.zeros_like(v) for v in theta.values()]
    for xs, ys, xq, yq in tasks:
        start = {n: v.detach().requires_grad_() for n, v in theta.items()}
        both = torch.cat([xs, xq]), torch.cat([ys, yq])
        phi = adapt(module, start, both, loss, second_order=False, **how)[-1]
        total = [
            t + (v - phi[n].detach()) / len(tasks) for t, (n, v) in zip(total, theta.items(), strict=True)
        ]
    return total
