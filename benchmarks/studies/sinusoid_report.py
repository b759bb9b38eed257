"""Results of `sinusoid` → Markdown table and figures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from outlearn.evaluate.compare import markdown
from outlearn.extras import require

SHOWN = (0, 1, 5, 10)  # inner steps that the table shows
EXAMPLES = ("MAML 10-shot", "joint pre-training")
COLOURS = {
    "MAML": "#0072b2",
    "first-order MAML": "#56b4e9",
    "Meta-SGD": "#d55e00",
    "ANIL": "#009e73",
    "Reptile": "#cc79a7",
    "joint pre-training": "#777777",
}
GREY = "#999999"
LOWEST, HIGHEST = 0.05, 10.0  # errors that the figure shows

Results = Sequence[dict[str, Any]]


def report(results: Results, out: Path, command: str) -> None:
    """Write the table to OUT.md and the figures to OUT.svg."""
    if not results:
        return
    out.with_suffix(".md").write_text(table(results, out, command))
    converter = require("vl_convert", extra="report")
    out.with_suffix(".svg").write_text(converter.vegalite_to_svg(_figures(results).to_dict()))


def table(results: Results, out: Path, command: str) -> str:
    """Return Markdown: each learner beside its target and the published figures."""
    head = ["learner", "inner steps × rate", "outer rate", *(f"after {k}" for k in SHOWN)]
    head += ["published after 1, 5, 10", "target after 1", ""]
    steps, seed = results[0]["steps"], results[0]["seed"]
    parts = [
        "# Sinusoid regression",
        f"    {command}",
        f"Mean squared error after 0, 1, 5 and 10 inner steps on 600 new tasks, with the half width of its "
        f"95 % interval over tasks; {steps} meta-steps, seed {seed}. In testing each inner step sees the "
        "whole support and has the rate of meta-training (Meta-SGD: the learnt rates).",
        markdown(head, [_row(result) for result in results]),
        "Settings differ (Reptile alone has an outer rate that falls): the table holds each learner to its "
        "own published figure and ranks none.",
    ]
    parts.append("\n".join(filter(None, map(_runs_off, results))))
    figures = out.with_suffix(".svg").name
    parts.append(f"![error against inner steps, and one wave before and after]({figures})")
    return "\n\n".join(filter(None, parts)) + "\n"


def _row(result: dict[str, Any]) -> list[str]:
    published = dict(result["published"])
    target, error = result["target"], result["mse"][1]
    met = "" if target is None else ("met" if error is not None and error <= target else "MISSED")
    return [
        result["run"],
        f"{result['inner_steps']} × {result['inner_rate']}" if result["inner_steps"] else "none",
        result["outer_rate"],
        *(_error(result["mse"][k], result["interval"][k]) for k in SHOWN),
        ", ".join(f"{published[k]:.3f}" if k in published else "–" for k in SHOWN[1:]),
        "–" if target is None else f"≤ {target:.2f}",
        met,
    ]


def _runs_off(result: dict[str, Any]) -> str:
    """Say from which inner step on the error leaves the figure; empty if it never does."""
    large = [k for k, error in enumerate(result["mse"]) if error is None or error > HIGHEST]
    lost = [k for k, error in enumerate(result["mse"]) if error is None]
    if not large:
        return ""
    trained = f"{result['run']} (inner steps in training: {result['inner_steps']})"
    finite = f" and is not finite from {lost[0]} on" if lost else ""
    return f"* {trained}: its mean error is above {HIGHEST:g} from {large[0]} steps on{finite}."


def _error(mean: float | None, half: float | None) -> str:
    if mean is None or half is None:
        return "not finite"
    return f"{mean:.3f} ± {half:.3f}" if mean < 1000 else f"{mean:.1e}"


def _figures(results: Results) -> Any:
    alt = require("altair", extra="report")
    panels = [_example(alt, result) for result in results if result["example"]]
    rows = [_curves(alt, results), *([alt.hconcat(*panels, spacing=40)] if panels else [])]
    return (
        alt.vconcat(*rows, spacing=30)
        .configure(background="white", aria=False, font="sans-serif", padding=12)
        .configure_view(stroke=None)
        .configure_axis(titleFontWeight="normal", gridColor="#e5e5e5", domainColor=GREY, tickColor=GREY)
        .configure_title(anchor="start", fontSize=13)
        .resolve_scale(color="independent", strokeDash="independent")
    )


def _curves(alt: Any, results: Results) -> Any:
    """Draw error against inner steps, one line a learner, with published figures as diamonds."""

    def points(errors: Callable[[dict[str, Any]], Iterable[tuple[int, float | None]]]) -> Any:
        reached = [(r["run"], k, error) for r in results for k, error in errors(r) if error is not None]
        return alt.Data(values=[{"run": run, "steps": k, "error": error} for run, k, error in reached])

    names = [result["run"] for result in results]
    hues = [COLOURS[name.removesuffix(" 10-shot").removesuffix(" 5-shot")] for name in names]
    colours = alt.Scale(domain=names, range=hues)
    dashes = alt.Scale(domain=names, range=[[4, 3] if name.endswith(" 5-shot") else [1, 0] for name in names])
    x = alt.X("steps:Q", title="inner steps", axis=alt.Axis(grid=False, tickCount=11))
    y = alt.Y(
        "error:Q",
        title="mean squared error",
        scale=alt.Scale(type="log", domain=[LOWEST, HIGHEST], nice=False),
        axis=alt.Axis(values=[0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10]),
    )
    dash = alt.StrokeDash("run:N", scale=dashes, title=None, sort=names)
    lines = (
        alt.Chart(points(lambda result: enumerate(result["mse"])))
        .mark_line(clip=True, strokeWidth=2)
        .encode(
            x=x,
            y=y,
            color=alt.Color("run:N", scale=colours, title=None, sort=names),
            strokeDash=dash,
        )
    )
    marks = (
        alt.Chart(points(lambda result: result["published"]))
        .mark_point(shape="diamond", size=80, strokeWidth=1.5, fill="white", opacity=1)
        .encode(
            x=x,
            y=y,
            stroke=alt.Stroke("run:N", scale=colours, legend=None),
            strokeDash=dash,
        )
    )
    title = "Error on 600 new waves (lines), and as published (diamonds)"
    return alt.layer(lines, marks).properties(width=520, height=320, title=title)


def _example(alt: Any, result: dict[str, Any]) -> Any:
    """Draw one wave and the network on it after 0, 1 and 10 steps."""
    example = result["example"]
    keys = {"the wave": "truth", "0 steps": "0", "1 step": "1", "10 steps": "10"}
    curves = [
        {"x": x, "y": y, "what": what}
        for what, key in keys.items()
        for x, y in zip(example["x"], example[key], strict=True)
    ]
    support = [{"x": x, "y": y} for x, y in zip(example["support"], example["given"], strict=True)]
    x = alt.X("x:Q", title="x", axis=alt.Axis(grid=False))
    y = alt.Y("y:Q", title="y", scale=alt.Scale(domain=[-6, 6]))
    scale = alt.Scale(domain=list(keys), range=["#bbbbbb", "#e6ab02", "#56b4e9", "#0072b2"])
    lines = (
        alt.Chart(alt.Data(values=curves))
        .mark_line(strokeWidth=2, clip=True)
        .encode(x=x, y=y, color=alt.Color("what:N", scale=scale, title=None, sort=list(keys)))
    )
    points = alt.Chart(alt.Data(values=support)).mark_circle(size=45, color="black", opacity=1)
    return alt.layer(lines, points.encode(x=x, y=y)).properties(
        width=255, height=200, title=f"{result['run']}: one wave"
    )
