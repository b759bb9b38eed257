"""Which studies there are, and which stored result is of which; nothing of a study is imported to say so."""

from __future__ import annotations

import ast
from importlib import import_module
from pathlib import Path

from benchmarks.harness.study import Study

HERE = Path(__file__).parent
RESULTS = HERE / "results"

SETS = "FOLDER...: labelled sets as .npz or Parquet"
TABLES = "TABLES: a corpus with a manifest of owners"
MANIFEST = "DATA: a folder with a manifest"
NOTHING = "nothing but the package"

#: What each study needs beside the packages of the extra `benchmarks`, by its name, which is permanent.
STUDIES = {
    "ablation": f"{SETS}; hours",
    "adaptation": SETS,
    "calibration": SETS,
    "captures": f"{MANIFEST} and captures under pcap/",
    "cross_network": "DATA: the Parquet files of zero_day; 75 minutes",
    "encoding": TABLES,
    "episodes": NOTHING,
    "faithfulness": NOTHING,
    "feedback": SETS,
    "fingerprint": SETS,
    "fleet": f"{MANIFEST} and series under timeseries/",
    "hunting": "DATA: the Parquet files of zero_day",
    "images": f"{NOTHING}; 12 minutes",
    "labels": SETS,
    "lean_statistics": TABLES,
    "logs": "DATA: Parquet files of hdfs, hadoop and bgl; 20 minutes",
    "metaspeed": f"{NOTHING}; TorchOpt is measured where it is installed",
    "missing": SETS,
    "mixed": "DATA: tables, series, embeddings and logs as Parquet",
    "more_tasks": TABLES,
    "promises": f"{NOTHING}; an hour",
    "real_tables": f"{TABLES}; two hours on two cores",
    "robustness": f"{NOTHING}; 3.5 minutes",
    "row_statistics": SETS,
    "security_speed": f"{NOTHING}; 3 minutes",
    "series": f"{MANIFEST} and series under timeseries/",
    "series_events": f"{MANIFEST} and series under timeseries/",
    "series_speed": NOTHING,
    "service": f"{NOTHING}, installed; 5 minutes",
    "sinusoid": f"{NOTHING}; 5 to 10 minutes a learner",
    "speed": f"{NOTHING}, installed",
    "support_size": f"{SETS} of 20,000 rows or more",
    "tabular": "FOLDER: labelled sets as .npz or Parquet",
    "techniques": f"{MANIFEST} and captures under pcap/",
    "tuning": f"{MANIFEST} of labelled sets; an hour and a half for 108",
    "tuning_speed": NOTHING,
    "verdicts": TABLES,
    "zero_day": "DATA: Parquet files of attacks, frauds and beats; 5 to 30 minutes a set",
}

#: Results that do not begin with the name of their study.
NAMED_OTHERWISE = {"learning_curve": "real_tables"}


def load(name: str) -> Study:
    """Import a study: it, and nothing of the others, is what a run needs."""
    study: Study = import_module(f"benchmarks.studies.{name}").STUDY
    return study


def purpose(name: str) -> str:
    """Return the first line of a study's docstring."""
    source = HERE / "studies" / f"{name}.py"
    return (ast.get_docstring(ast.parse(source.read_text())) or "").partition("\n")[0]


def study_of(result: str) -> str | None:
    """Return the name of the study that a stored result is of: `zero_day` of `zero_day-nsl`."""
    name = NAMED_OTHERWISE.get(result, result.partition("-")[0])
    return name if name in STUDIES else None
