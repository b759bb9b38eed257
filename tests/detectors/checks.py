"""The checks that every public detector meets. `yield_checks` gives them by name; each takes a `Case`.

Loaded by path (`runpy`), for tests are no package. A check is a plain function, so that a detector of another
project can be held to it too.
"""

import pickle
import tempfile
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from unittest import mock

import narwhals as nw
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from outlearn.data.infer import infer_schema
from outlearn.errors import InputError, LabelError, ParameterError, SchemaError

NAMES = ["a", "b", "c", "d"]
ODD = np.array([[0.1, -0.2, 9.0, 0.3]])  # odd in column "c"


@dataclass(frozen=True)
class Case:
    """A detector to check: how to make it, whether it needs labels, which checks it fails and why."""

    name: str
    make: Callable[..., Any]
    needs_labels: bool = False
    estimator: bool = True  # False for a facade with another contract than `BaseDetector`
    known_failures: dict[str, str] = field(default_factory=dict)

    def fit(self, X, y=None, **options):
        options = {"random_state": 0, **options}
        return self.make(**options).fit(X, self.labels(len(X)) if y is None else y)

    @cached_property
    def fitted(self):
        """The detector fitted to `table()`, shared by the checks: none of them may fit it anew."""
        return self.fit(self.table())

    def labels(self, n):
        """None, or for a detector that needs labels the last three rows as anomalies."""
        if not self.needs_labels:
            return None
        y = np.full(n, -1)
        y[-min(3, n - 1) :] = 1
        return y

    def table(self, n=70, d=4, seed=0):
        """Normal rows; for a detector that needs labels the last three are odd in column "c"."""
        X = np.random.default_rng(seed).normal(size=(n, d))
        if self.needs_labels and d > 2:
            X[-3:, 2] += 8
        return X


Check = Callable[[Case], None]
EVERY: list[Check] = []
OURS: list[Check] = []


def every(check: Check) -> Check:
    EVERY.append(check)
    return check


def ours(check: Check) -> Check:
    OURS.append(check)
    return check


def score(detector, X):
    """Return scores, high = abnormal, of one of ours or of a PyOD detector."""
    return detector.anomaly_score(X) if hasattr(detector, "anomaly_score") else detector.decision_function(X)


def queries(seed=1):
    return np.vstack([np.random.default_rng(seed).normal(size=(12, 4)) * 0.3, ODD])


def equal(a, b, what, atol=0.0):
    a, b = np.asarray(a), np.asarray(b)
    worst = np.abs(a - b).max(initial=0.0)
    assert a.shape == b.shape and worst <= atol, f"{what}: scores differ by up to {worst:.3g}"


def usable(scores, rows):
    assert scores.shape == (rows,) and np.isfinite(scores).all() and scores.dtype == np.float64
    assert (scores >= 0).all() and (scores <= 1).all()


# ---- every detector, facades included


@every
def check_a_refit_equals_a_fresh_fit(case):
    detector = case.fit(case.table(50, seed=3) * 5 + 1)
    X = case.table()
    equal(score(detector.fit(X, case.labels(len(X))), queries()), score(case.fitted, queries()), "refit")


@every
def check_a_row_alone_scores_as_in_a_batch(case):
    discrete = np.round(case.table(seed=2) * 2)
    skewed = np.exp(2 * case.table(seed=4))
    detectors = (case.fitted, *map(case.fit, (discrete, skewed)))
    for detector, X in zip(detectors, (case.table(), discrete, skewed), strict=True):
        Q = np.vstack([queries(), X[:10], np.round(queries())])
        alone = np.concatenate([score(detector, row[None]) for row in Q])
        equal(alone, score(detector, Q), "alone", atol=1e-6)


@every
def check_the_order_of_rows_does_not_matter(case):
    discrete, Q = np.round(case.table(seed=2)), queries()
    for detector, X in ((case.fitted, case.table()), (case.fit(discrete), discrete)):
        y = case.labels(len(X))
        order = np.random.default_rng(0).permutation(len(X))
        turned = case.fit(X[order], None if y is None else y[order])
        equal(score(turned, Q), score(detector, Q), "fit on rows in another order", atol=1e-6)
        equal(score(detector, Q[::-1])[::-1], score(detector, Q), "scored in another order", atol=1e-6)


@every
def check_scoring_changes_nothing(case):
    X, Q = case.table(), queries()
    detector, kept = case.fitted, (X.copy(), Q.copy())
    before, first = _state(detector), score(detector, Q)
    score(detector, X), detector.predict(X), detector.decision_function(Q)
    if case.estimator:
        detector.explain(Q)
    assert _state(detector) == before
    equal(score(detector, Q), first, "scored twice")
    assert np.array_equal(X, kept[0]) and np.array_equal(Q, kept[1])


def _state(detector):
    """Everything that is fitted, but for the scorer: search trees in it count their calls."""
    own = {k: v for k, v in vars(getattr(detector, "detector_", detector)).items() if k != "scorer_"}
    return {name: pickle.dumps(value) for name, value in own.items()}


@every
def check_an_outlier_comes_out_on_top(case):
    detector, Q = case.fitted, queries()
    scores = score(detector, Q)
    usable(scores, len(Q))
    assert scores.argmax() == len(Q) - 1 and scores[-1] > np.median(scores)


@every
def check_same_seed_same_bytes(case):
    X, Q = case.table(), queries()
    first, again = score(case.fitted, Q), score(case.fit(X), Q)
    assert first.tobytes() == again.tobytes()
    for make in (np.random.default_rng, np.random.RandomState):
        first, again = (score(case.fit(X, random_state=make(5)), Q) for _ in range(2))
        assert first.tobytes() == again.tobytes()
    usable(score(case.fit(X, random_state=None), Q), len(Q))


@every
def check_pickle_and_clone(case):
    X, Q = case.table(), queries()
    detector = case.fitted
    scores = score(detector, Q)
    equal(score(pickle.loads(pickle.dumps(detector)), Q), scores, "pickled")
    copy = clone(detector)
    assert not [name for name in vars(copy) if name.endswith("_") and not name.startswith("_")]
    equal(score(copy.fit(X, case.labels(len(X))), Q), scores, "cloned")


@every
def check_every_library_gives_the_same_scores(case):
    X, Q = case.table(), queries()
    wanted = score(case.fitted, Q)
    pandas, query = pd.DataFrame(X, columns=NAMES), pd.DataFrame(Q, columns=NAMES)
    others = (lambda f: f, pl.from_pandas, pa.Table.from_pandas, lambda f: nw.from_native(pl.from_pandas(f)))
    for convert in others:
        fitted = case.fit(convert(pandas))
        equal(score(fitted, convert(query)), wanted, f"{convert}", atol=1e-6)
    equal(score(fitted, query), wanted, "fitted on one library, scored in another", atol=1e-6)
    equal(score(case.fit(X.tolist()), Q.tolist()), wanted, "lists")
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        equal(score(case.fitted, query), wanted, "fitted on an array, scored on a dataframe")
    assert any("was fitted without feature names" in str(each.message) for each in heard)
    turned = pd.DataFrame(Q)[[2, 0, 3, 1]]
    equal(score(case.fitted, turned), wanted, "fitted on an array, counted columns turned")
    numbered = case.fit(pd.DataFrame(X))
    equal(score(numbered, pd.DataFrame(Q)), wanted, "columns with numbers as names", atol=1e-6)


@every
def check_the_order_of_columns_does_not_matter(case):
    X, Q = (pd.DataFrame(rows, columns=NAMES) for rows in (case.table(), queries()))
    X["shop"], Q["shop"] = np.resize(["A", "B", "B", "C"], len(X)), "B"
    detector, turned = case.fit(X), ["shop", *NAMES[::-1]]
    equal(score(detector, Q[turned]), score(detector, Q), "scored with columns in another order")
    equal(score(case.fit(X[turned]), Q), score(detector, Q), "fitted with columns in another order")


@every
def check_missing_and_infinite_values(case):
    X, Q = case.table(), queries()
    X[::7, 0], X[3, 1], Q[0, 0], Q[1, :], Q[2, 3] = np.nan, -np.inf, np.nan, np.nan, np.inf
    usable(score(case.fit(X), Q), len(Q))
    clean = case.fitted
    usable(score(clean, Q), len(Q))
    assert score(clean, Q).argmax() == len(Q) - 1


@every
def check_constant_columns(case):
    X = case.table()
    X[:, 1] = 3.0
    Q = queries()
    Q[:, 1] = 3.0
    scores = score(case.fit(X), Q)
    usable(scores, len(Q))
    assert scores.argmax() == len(Q) - 1
    usable(score(case.fit(np.ones((30, 4))), Q), len(Q))


@every
def check_duplicates(case):
    X = np.repeat(case.table(24), 4, axis=0)
    scores = score(case.fit(X), np.vstack([queries(), X]))
    usable(scores, len(queries()) + len(X))
    first = len(queries())
    equal(scores[first::4], scores[first + 1 :: 4], "copies of a row", atol=1e-6)


@every
def check_two_rows(case):
    usable(score(case.fit(case.table(2)), queries()), len(queries()))


@every
def check_one_column(case):
    X = case.table(40, 1)
    if case.needs_labels:
        X[-3:] += 8
    scores = score(case.fit(X), np.array([[0.1], [9.0]]))
    usable(scores, 2)
    assert scores[1] > scores[0]


@every
def check_more_columns_than_rows(case):
    X = case.table(12, 30)
    usable(score(case.fit(X), X), 12)


@every
def check_a_pipeline_with_a_scaler(case):
    X, Q = case.table() * [1, 10, 100, 1000], queries() * [1, 10, 100, 1000]
    pipeline = make_pipeline(StandardScaler(), case.make(random_state=0)).fit(X, case.labels(len(X)))
    scaler = StandardScaler().fit(X)
    own = case.fit(scaler.transform(X))
    equal(pipeline.decision_function(Q), own.decision_function(scaler.transform(Q)), "in a pipeline")
    assert (pipeline.predict(Q) == own.predict(scaler.transform(Q))).all()


# ---- every estimator of ours


@ours
def check_the_signs_agree(case):
    X, Q = case.table(), np.vstack([queries(), case.table()])
    rules = ({}, {"contamination": 0.1}, {"false_alarm_rate": 0.2})
    for options in rules:
        detector = case.fit(X, **options) if options else case.fitted
        scores, decision = detector.anomaly_score(Q), detector.decision_function(Q)
        equal(detector.score_samples(Q), -scores, "score_samples")
        equal(decision, detector.score_samples(Q) - detector.offset_, "decision_function")
        outlier = detector.predict(Q) == -1
        assert (outlier == (decision < 0)).all() and (outlier == (scores >= detector.threshold_)).all()
        assert set(detector.predict(Q)) <= {-1, 1}
        own = case.make(random_state=0, **options).fit_predict(X, case.labels(len(X)))
        assert (own == detector.predict(X)).all()


@ours
def check_the_contamination(case):
    X = case.table()
    for share in (0.1, np.float32(0.25), 0.5):
        detector = case.fit(X, contamination=share)
        came = (detector.predict(X) == -1).sum()
        # Rows tied at the cut are left out.
        assert came <= round(float(share) * len(X)) and (
            came > 0 or len(set(detector.support_scores_)) < len(X)
        )
        assert detector.promise_ is not None and not detector.promise_.holds
    automatic = case.fitted
    assert automatic.contamination == "auto"
    assert automatic.promise_ is None and 0 < automatic.contamination_ < 1
    unknown = automatic.support_scores_[automatic.support_y_ == -1]
    if automatic.probabilistic and len(unknown) and unknown.max() < 0.5:
        assert 0 < automatic.threshold_ < 0.5
        assert (unknown >= automatic.threshold_).sum() <= np.ceil(unknown.sum())
    else:
        assert automatic.threshold_ == 0.5
    for wrong in (0, 0.6, -0.1, "automatic", True, None, float("nan"), [0.1]):
        refused(ParameterError, "contamination", lambda w=wrong: case.fit(X, contamination=w))


@ours
def check_the_false_alarm_rate(case):
    X = case.table(100)
    y = np.zeros(len(X), dtype=int) if case.labels(len(X)) is None else np.maximum(case.labels(len(X)), 0)
    detector = case.fit(X, y, false_alarm_rate=0.1)
    normals = (y == 0).sum()
    assert len(detector.calibration_) == len(detector.calibration_scores_) == np.ceil(0.3 * normals)
    assert detector.promise_.holds and "10 %" in detector.promise_.text
    assert (detector.calibration_scores_ >= detector.threshold_).mean() <= 0.1
    blind = case.fit(X, false_alarm_rate=0.1)
    assert len(blind.calibration_) == 0 and not blind.promise_.holds
    for wrong in (0, 1, 1.5, -0.1, "0.1", True, float("nan")):
        refused(ParameterError, "false_alarm_rate", lambda w=wrong: case.fit(X, false_alarm_rate=w))


@ours
def check_max_support(case):
    X = case.table(100)
    detector = case.fit(X, max_support=np.int64(20))
    assert len(detector.support_) == len(detector.support_y_) == len(detector.support_cells_) == 20
    usable(detector.anomaly_score(X), len(X))
    order = np.random.default_rng(0).permutation(len(X))
    y = case.labels(len(X))
    turned = case.fit(X[order], None if y is None else y[order], max_support=20)
    equal(turned.anomaly_score(X), detector.anomaly_score(X), "sampled from rows in another order", atol=1e-6)
    for wrong in (1, 0, 2.5, "20", None, True):
        refused(ParameterError, "max_support", lambda w=wrong: case.fit(X, max_support=w))


@ours
def check_the_schema(case):
    X, Q = (pd.DataFrame(rows, columns=NAMES) for rows in (case.table(), queries()))
    X["row_id"], Q["row_id"] = np.arange(len(X)), -5
    inferred = case.fit(X)
    assert [c.name for c in inferred.schema_.set_aside] == ["row_id"]
    equal(
        inferred.anomaly_score(Q.drop(columns="row_id")), inferred.anomaly_score(Q), "without the identifier"
    )
    given = case.fit(X, schema=infer_schema(X, ignore=["b"]))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "overrides.toml"
        file.write_text('[columns.b]\nrole = "ignored"\n')
        for path in (file, str(file)):
            read = case.fit(X, schema=path)
            equal(read.anomaly_score(Q), given.anomaly_score(Q), "schema from a file")
    equal(given.anomaly_score(Q.assign(b=1e6)), given.anomaly_score(Q), "an ignored column")
    refused(ParameterError, "schema", lambda: case.fit(X, schema=5))


@ours
def check_save_and_load(case):
    X = pd.DataFrame(case.table(100), columns=NAMES).assign(shop=np.resize(["A", "B"], 100))
    Q = pd.DataFrame(queries(), columns=NAMES).assign(shop="A")
    for options in ({}, {"false_alarm_rate": 0.1}):
        y = case.labels(len(X))
        if "false_alarm_rate" in options:
            y = np.zeros(len(X), dtype=int) if y is None else np.maximum(y, 0)
        detector = case.fit(X, y, **options)
        again = _saved(detector)
        equal(again.anomaly_score(Q), detector.anomaly_score(Q), "saved and loaded")
        assert (again.predict(Q) == detector.predict(Q)).all() and again.threshold_ == detector.threshold_
        assert again.promise_ == detector.promise_ and str(again.schema_) == str(detector.schema_)
        assert again.support_cells_.equals(detector.support_cells_)
        assert list(again.feature_names_in_) == list(detector.feature_names_in_)
    updated = [d.update(Q[-1:], [1]).anomaly_score(Q) for d in (detector, again)]
    equal(*updated, "updated after loading")


def _saved(detector):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.outlearn"
        detector.save(path)
        assert [file.name for file in Path(folder).iterdir()] == [path.name]
        content = path.read_bytes()
        assert b"\x80\x04\x95" not in content and b"\x80\x05\x95" not in content, "a pickle in the file"
        never = mock.Mock(side_effect=AssertionError("unpickled while loading"))
        with mock.patch.multiple(pickle, loads=never, load=never, Unpickler=never):
            return type(detector).load(path)


@ours
def check_other_columns_are_refused_with_the_difference(case):
    X, Q = (pd.DataFrame(rows, columns=NAMES) for rows in (case.table(), queries()))
    detector = case.fit(X)
    message = refused(
        SchemaError, "- c", lambda: detector.anomaly_score(Q.rename(columns={"c": "C", "d": "e"}))
    )
    assert "2 of 4" in message and "- d" in message and "+ e" in message and "renamed? there is: C" in message
    equal(detector.anomaly_score(Q.assign(extra=1.0)), detector.anomaly_score(Q), "a column more")
    refused(ValueError, "3 features", lambda: case.fitted.anomaly_score(queries()[:, :3]))


@ours
def check_other_labels_are_refused(case):
    X = case.table()
    n = len(X)
    wrong = [
        np.full(n, 2),
        np.full(n, 0.5),
        np.full(n, np.nan),
        ["anomaly"] * n,
        [1],
        np.zeros((n, 1)),
        [None] * n,
    ]
    for y in wrong:
        refused(LabelError, "y h", lambda y=y: case.fit(X, y))
    detector = case.fitted
    before = detector.anomaly_score(X)
    refused(LabelError, "no label", lambda: detector.update(X, np.full(n, -1)))
    refused(LabelError, "y h", lambda: detector.update(X, np.full(n, 3)))
    equal(detector.anomaly_score(X), before, "after a refused update")


@ours
def check_an_update_equals_adapting_with_the_labels(case):
    X, Q = np.vstack([case.table(), case.table()[:5]]), queries()  # five rows are there twice
    y = np.full(len(X), -1)
    y[-8:-5] = 1 if case.needs_labels else -1
    labels = y.copy()
    labels[[0, 70]], labels[[2, 72]], labels[10] = 1, 0, 0
    rows = [0, 2, 10]
    before = case.fit(X, y)
    kept = (before.anomaly_score(Q), before.threshold_, before.support_y_.copy(), len(before.support_cells_))
    updated = before.update(X[rows], [1, 0, 0])
    assert updated is not before and type(updated) is type(before)
    fresh = case.fit(X, labels)
    assert len(updated.support_) == len(X)
    equal(updated.scorer_.score(_encoded(updated, Q)), fresh.scorer_.score(_encoded(fresh, Q)), "updated")
    twice = before.update(X[[2]], [1]).update(X[rows], [1, 0, 0])
    equal(twice.anomaly_score(Q), updated.anomaly_score(Q), "updated in two steps, one label mended")
    equal(before.anomaly_score(Q), kept[0], "scores of the detector that was updated")
    assert (before.threshold_, len(before.support_cells_)) == (kept[1], kept[3])
    assert (before.support_y_ == kept[2]).all()
    joined = case.fit(X[:-5], y[:-5]).update(Q, np.r_[np.zeros(len(Q) - 1), 1])
    assert len(joined.support_) == len(X) - 5 + len(Q) and (joined.support_y_[-len(Q) :] >= 0).all()


def _encoded(detector, Q):
    return detector.encoder_.transform(Q).values


@ours
def check_an_explanation_names_the_planted_column(case):
    X = pd.DataFrame(case.table(), columns=NAMES)
    Q = pd.DataFrame(queries(), columns=NAMES)
    detector, last = case.fit(X), len(Q) - 1
    why = detector.explain(Q, rows=[last])[0]
    assert why.row == last and abs(why.score - detector.anomaly_score(Q)[last]) <= 1e-6
    assert why.contributions[0].column == "c" and why.contributions[0].value == 9.0, why.sentence
    assert all(0 <= place < len(X) for place in why.neighbours) and "c" in why.sentence
    few = case.fit(X, contamination=0.05)
    flagged = np.flatnonzero(few.predict(X) == -1)
    assert len(flagged) and [why.row for why in few.explain(X, columns=1)] == flagged.tolist()
    for rows, words in (
        ([-1], "row -1"),
        ([0, 99], "row 99"),
        (X["a"] > 0, "positions"),
        ([0.5], "positions"),
    ):
        refused(InputError, words, lambda r=rows: few.explain(X, rows=r))
    refused(ParameterError, "columns", lambda: few.explain(X, columns=0))
    assert few.explain(X, rows=[]) == []


@ours
def check_an_unfitted_detector_says_so(case):
    for call in ("anomaly_score", "predict", "decision_function", "score_samples", "explain"):
        refused(ValueError, "not fitted", lambda c=call: getattr(case.make(), c)(queries()))
    refused(ValueError, "not fitted", lambda: case.make().save(Path("never.outlearn")))


@ours
def check_tables_without_rows_are_refused(case):
    refused(InputError, "1 row", lambda: case.make().fit(case.table(5)[:1]))
    refused(InputError, "no rows", lambda: case.make().fit(pd.DataFrame({"a": []})))
    refused(InputError, "collect", lambda: case.make().fit(pl.LazyFrame({"a": [1.0, 2.0]})))
    refused(
        SchemaError, "same name", lambda: case.make().fit(pd.DataFrame([[1, 2], [3, 4]], columns=["a", "a"]))
    )


def refused(kind, words, call):
    """Check that `call` raises `kind` with `words`; return the message."""
    try:
        call()
    except kind as error:
        assert words in str(error), f"the error does not say {words!r}: {error}"
        return str(error)
    raise AssertionError(f"not refused; wanted {kind.__name__} about {words!r}")


def yield_checks(case: Case) -> Iterator[tuple[str, Check]]:
    """Yield the name and the function of each check that `case` has to meet."""
    for check in EVERY + (OURS if case.estimator else []):
        yield check.__name__, check
