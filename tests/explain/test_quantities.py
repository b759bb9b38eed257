"""Numbers with their units in sentences."""

import numpy as np
import pytest

from outlearn.data.quantities import Form
from outlearn.explain import describe, sentence
from outlearn.explain.quantities import CLOCK, HEX, SPAN

USUAL = np.linspace(0, 400, 401)


def test_forms_have_the_names_that_words_know_them_by():
    assert {str(form) for form in Form} >= {CLOCK, SPAN, HEX}


@pytest.mark.parametrize(
    ("unit", "value", "words"),
    [
        ("", 9812.5, "x is 9,812.5, above the usual 20 to 380."),
        ("$", 9812.5, "x is $9,812.50, above the usual $20 to $380."),
        ("$", -7, "x is -$7, below the usual $20 to $380."),
        ("€", 1e6, "x is €1,000,000, above the usual €20 to €380."),
        ("EUR", 9812.5, "x is 9,812.5 EUR, above the usual 20 to 380 EUR."),
        ("°C", 488.4, "x is 488.4 °C, above the usual 20 to 380 °C."),
        ("%", -9.5, "x is -9.5 %, below the usual 20 to 380 %."),
        (SPAN, 40_000, "x is 11:06:40, longer than the usual 0:00:20 to 0:06:20."),
        (SPAN, 2.5, "x is 0:00:02.5, shorter than the usual 0:00:20 to 0:06:20."),
        (CLOCK, 10_860, "x is 03:01, later than the usual 00:00:20 to 00:06:20."),
        (CLOCK, -3600, "x is 23:00, earlier than the usual 00:00:20 to 00:06:20."),
        (HEX, 60_000, "x is 0xEA60, above the usual 0x14 to 0x17C."),
        ("kg", None, "x is missing (usual: 20 to 380 kg)."),
        ("kg", "heavy", "x 'heavy' is rare (usual: 401 different values; this value 0 %)."),
    ],
)
def test_a_number_is_told_in_its_unit(unit, value, words):
    assert sentence([describe("x", "numeric", value, USUAL, [1.0], 1.0, unit=unit)]) == words
