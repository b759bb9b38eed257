"""Alarms a day: read from words, set on normal points, kept by what follows."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter1d

from outlearn.decisions.alarms import AlarmRate, alarms
from outlearn.errors import ParameterError

MINUTE = 60_000_000


@pytest.mark.parametrize(
    ("text", "count", "seconds"),
    [(1, 1.0, 86_400), ("1/day", 1.0, 86_400), ("0.5 per hour", 0.5, 3600), ("3 a week", 3.0, 604_800)],
)
def test_a_rate_is_read_from_a_number_or_words(text, count, seconds):
    assert AlarmRate.parse(text) == AlarmRate(count, seconds)


@pytest.mark.parametrize("text", ["often", "-1/day", 0, "1/fortnight", float("nan")])
def test_what_is_no_rate_is_refused(text):
    with pytest.raises(ParameterError, match="wanted a rate above 0"):
        AlarmRate.parse(text)


def test_ranges_near_one_another_are_one_alarm_but_not_across_a_gap():
    flagged = np.zeros(40, dtype=bool)
    flagged[[3, 4, 7, 20, 21, 22]] = True
    assert alarms(flagged, [(0, 40)], 2) == [(3, 8), (20, 23)]
    assert alarms(flagged, [(0, 6), (6, 21), (21, 40)], 5) == [(3, 5), (7, 8), (20, 21), (21, 23)]


def normal(seed, minutes):
    noise = np.random.default_rng(seed).normal(size=minutes)
    return gaussian_filter1d(noise, 5)


def test_a_rate_is_kept_on_average_by_series_that_run_as_the_one_calibrated_on():
    """Forty pairs: the mean number of alarms on days to come, of which two standard errors are allowed."""
    rate, days = AlarmRate.parse("5/day"), 3
    seen = []
    for seed in range(40):
        scores = normal(seed, days * 1440)
        threshold, promise = rate.threshold([(scores, [(0, len(scores))])], step=MINUTE, merged=8)
        assert promise.holds
        new = normal(1000 + seed, days * 1440)
        seen.append(len(alarms(new >= threshold, [(0, len(new))], 8)) / days)
    assert np.mean(seen) <= 5 + 2 * np.std(seen) / np.sqrt(len(seen))
    assert np.mean(seen) > 2  # nor is it kept by flagging nothing


def test_with_too_little_time_nothing_is_promised():
    scores = normal(0, 600)
    threshold, promise = AlarmRate.parse("1/day").threshold([(scores, [(0, 600)])], step=MINUTE, merged=8)
    assert not promise.holds
    assert threshold > scores.max()
    assert "10 hours" in promise.text and "1 days are needed" in promise.text
