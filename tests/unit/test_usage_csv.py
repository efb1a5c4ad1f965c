"""Cells that no spreadsheet computes."""

import pytest

from core.usage_csv import safe_cell


@pytest.mark.parametrize(
    "text", ["=1+1", "+49 30 1234", "-2", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1", "＝1", "'=1"]
)
def test_what_a_spreadsheet_would_compute_gets_an_apostrophe(text: str) -> None:
    assert safe_cell(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "Ann", "a=b", "1-2", "张三", "C0123", "a@b.example"])
def test_everything_else_stays(text: str) -> None:
    assert safe_cell(text) == text
