"""Findings for a reader: one self-contained HTML page, and plain text for the terminal.

Everything is made from `Findings`, so a report needs neither the detector nor the data. Importing this
package loads no plotting library; a page loads it when it is rendered (extra ``report``).
"""

from outlearn.report.page import render_html, write_report
from outlearn.report.text import render_text

__all__ = [
    "render_html",
    "render_text",
    "write_report",
]
