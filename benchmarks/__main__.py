"""Run a study, list all of them, or show a committed result.

python -m benchmarks run real_tables TABLES --work WORK --out real_tables.json
python -m benchmarks run real_tables --help
python -m benchmarks list
python -m benchmarks report zero_day-nsl
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence

from benchmarks.catalogue import RESULTS, STUDIES, load, purpose, study_of


def main(words: Sequence[str]) -> None:
    options = _parser().parse_args(words)
    if options.action == "run":
        load(options.name).run(options.words)
    elif options.action == "list":
        print(listing())
    else:
        print(stored_report(options.name))


def listing() -> str:
    """Return each study with its purpose and what it needs."""
    return "\n".join(f"{name}\n    {purpose(name)}\n    needs {needs}" for name, needs in STUDIES.items())


def stored_report(result: str) -> str:
    """Return the report on a committed result: made anew of its JSON, or as it lies beside a CSV.

    Raises
    ------
    SystemExit
        When there is no such result.
    """
    rows, text, name = RESULTS / f"{result}.json", RESULTS / f"{result}.md", study_of(result)
    if rows.exists() and name is not None:
        report = load(name).report
        if report is not None:
            return report(json.loads(rows.read_text()))
    if text.exists():
        return text.read_text()
    there = sorted({path.stem for path in RESULTS.iterdir() if path.suffix in (".json", ".md")})
    raise SystemExit(f"no result is called {result!r}; there are {', '.join(there)}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = parser.add_subparsers(dest="action", required=True)
    run = actions.add_parser("run", help="measure; a study goes on where its result file stops")
    run.add_argument("name", choices=STUDIES, metavar="NAME")
    run.add_argument("words", nargs=argparse.REMAINDER, metavar="ARGS", help="of the study; see its --help")
    actions.add_parser("list", help="every study with its purpose and what it needs")
    report = actions.add_parser("report", help="print a result of benchmarks/results")
    report.add_argument("name", metavar="NAME")
    return parser


if __name__ == "__main__":
    main(sys.argv[1:])
