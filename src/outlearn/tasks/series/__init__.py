"""Synthetic series with labelled anomalies. Reading order: courses, channels, inject, task."""

from outlearn.tasks.series.task import SeriesTask, draw_series

__all__ = ["SeriesTask", "draw_series"]
