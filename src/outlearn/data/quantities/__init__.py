"""Numbers as people write them: with currencies, units, scales, signs behind, as durations, times of day."""

from outlearn.data.quantities.notation import Form, Notation
from outlearn.data.quantities.recognise import LEAST, Recognised, recognise

__all__ = ["LEAST", "Form", "Notation", "Recognised", "recognise"]
