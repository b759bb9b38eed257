"""Why this row: the columns that make it odd, the nearest usual rows, and one plain sentence."""

from outlearn.explain.beside import known_cells
from outlearn.explain.contribution import RowContribution, explain_rows
from outlearn.explain.counterfactual import Counterfactual, smallest_change
from outlearn.explain.explanation import Contribution, Explanation, LabelEffect
from outlearn.explain.faithfulness import Faithfulness, faithfulness
from outlearn.explain.joint import Cell, Joint, joint_oddities
from outlearn.explain.neighbours import Usual, nearest_usual, usual_rows
from outlearn.explain.text import describe, sentence

__all__ = [
    "Cell",
    "Contribution",
    "Counterfactual",
    "Explanation",
    "Faithfulness",
    "Joint",
    "LabelEffect",
    "RowContribution",
    "Usual",
    "describe",
    "explain_rows",
    "faithfulness",
    "joint_oddities",
    "known_cells",
    "nearest_usual",
    "sentence",
    "smallest_change",
    "usual_rows",
]
