"""Cells of CSV that a spreadsheet does not run."""

from __future__ import annotations

from typing import Any

# The full-width ones too: some spreadsheets take them for the plain ones.
_FORMULA_SIGNS = frozenset("=+-@\uff1d\uff0b\uff0d\uff20")


def cell(value: Any) -> Any:
    """Returns the value in a form that a spreadsheet does not take for a formula."""
    text = "" if value is None else str(value)
    begin = text.lstrip("\ufeff\" \t\r\n\u00a0\u3000")[:1]
    return "'" + text if text[:1] in ("\t", "\r", "\n") or begin in _FORMULA_SIGNS else text
