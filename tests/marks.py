"""Marks that tests of all engines share."""

from __future__ import annotations

import pytest

from engines.roster import ENGINE_NAMES

engines = pytest.mark.parametrize("engine", ENGINE_NAMES)
# The same where AR, a token at a time, takes so long that only `make slow-test` waits for it.
patiently = pytest.mark.parametrize(
    "engine", [pytest.param(name, marks=pytest.mark.slow if name == "ar" else ()) for name in ENGINE_NAMES]
)
