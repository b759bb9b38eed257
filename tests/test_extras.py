"""Optional imports."""

import math

import pytest

from outlearn.errors import MissingExtraError
from outlearn.extras import require


def test_an_installed_module_is_returned():
    assert require("math", extra="none") is math


def test_a_missing_module_names_itself_and_the_extra_that_brings_it():
    with pytest.raises(MissingExtraError, match=r"no_such_module.*outlearn\[magic\]") as caught:
        require("no_such_module", extra="magic")
    assert isinstance(caught.value, ImportError)
