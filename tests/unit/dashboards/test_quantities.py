from __future__ import annotations

import pytest

from dashboards.quantities import mask_quantities


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("about 12,5 mm wide", "about ▮ wide"),
        ("a 3/4 inch thing", "a ▮ thing"),
        ("½ pound of flour", "▮ of flour"),
        ("two-inch, half inch", "▮, ▮"),
        ("page 12 of 2024", "page ▮ of ▮"),
        ("M4 and 9x19mm", "M▮ and ▮"),
        ("at 80 % or 250 °C", "at ▮ or ▮"),
        ("environ cinq pouces, 3 degrés", "environ ▮, ▮"),
        ("unas diez pulgadas y 4 gramos", "unas ▮ y ▮"),
        ("около десяти и пять миллиметров, 40 г", "около десяти и ▮, ▮"),
        ("حوالي ٥٫٥ مم و خمسة ملم", "حوالي ▮ و ▮"),
        ("长十五毫米，宽３厘米，三分钟", "长▮，宽▮，▮"),
    ],
)
def test_numbers_and_their_units_are_masked_in_every_language(text: str, masked: str) -> None:
    assert mask_quantities(text) == masked


@pytest.mark.parametrize(
    "text", ["One man and two women", "一个人，第一步", "la une du journal", "в один день", "كتاب واحد"]
)
def test_number_words_without_a_unit_stay(text: str) -> None:
    assert mask_quantities(text) == text


@pytest.mark.parametrize("digit", ["7", "٧", "۷", "７", "⁷", "₇", "⑦", "⅞"])
def test_no_digit_of_any_script_survives(digit: str) -> None:
    assert digit not in mask_quantities(f"a{digit}b {digit}{digit} .{digit}")


def test_long_runs_of_digits_are_masked_at_once() -> None:
    assert mask_quantities("1" * 100_000 + " mm") == "▮"
