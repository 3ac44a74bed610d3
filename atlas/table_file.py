"""Tables as files that a spreadsheet may open without running what is in them."""

from __future__ import annotations

import pandas as pd

# A spreadsheet takes a cell that begins so for a formula.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def csv_bytes(table: pd.DataFrame) -> bytes:
    """UTF-8 CSV with a header; text cells that would be formulas get a leading apostrophe."""
    return table.map(_harmless).to_csv(index=False).encode("utf-8")


def _harmless(cell: object) -> object:
    if isinstance(cell, str) and cell.startswith(FORMULA_STARTS):
        return "'" + cell
    return cell
