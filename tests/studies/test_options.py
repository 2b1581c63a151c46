"""Tests of `eigenclock_studies.options`: options of parts by name, typed by their dataclasses."""

from dataclasses import dataclass, field

import pytest

import eigenclock as ec
from eigenclock_studies.options import changed


@dataclass(frozen=True)
class Inner:
    width: int = 3
    rate: float = 0.1


@dataclass(frozen=True)
class Outer:
    sizes: tuple[int, ...] = (1, 2)
    pairs: tuple[tuple[int, int], ...] = ((1, 2),)
    inner: Inner = field(default_factory=Inner)
    name: str = "x"
    most: int | None = None

    def __post_init__(self):
        if not self.sizes:
            raise ec.InputError(f"sizes must not be empty, got {self.sizes}")


OPTIONS = {"first": Outer(sizes=(7,)), "second": Outer(inner=Inner(9))}


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"first.sizes": (3, 4)}, Outer(sizes=(3, 4))),
        ({"first.sizes": "[3, 4]"}, Outer(sizes=(3, 4))),
        ({"first": {"inner": {"width": 5}}}, Outer(sizes=(7,), inner=Inner(5))),
        ({"first.inner.width": 5, "first.inner.rate": 2, "first": {"name": "y"}}, Outer((7,), inner=Inner(5, 2.0), name="y")),
        ({"first.pairs": [[3, 4], [5, 6]]}, Outer(sizes=(7,), pairs=((3, 4), (5, 6)))),
        ({"first.most": 3}, Outer(sizes=(7,), most=3)),
        ({}, Outer(sizes=(7,))),
    ],
)  # fmt: skip
def test_options_are_changed_by_name(changes, found):
    new = changed(OPTIONS, changes)
    assert new["first"] == found
    assert new["second"] == OPTIONS["second"], "what is not named stays, also inside"
    assert OPTIONS["first"] == Outer(sizes=(7,)), "frozen"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"third.sizes": 1}, "set must name one of first, second, got 'third'"),
        ({"first": 3}, "set.first must be options inside Outer by name, got 3"),
        ({"first.width": 3}, "set.first has no option width"),
        ({"first.inner.depth": 3}, "set.first has no option inner.depth"),
        ({"first.inner.width": "wide"}, "set.first.inner.width must be a whole number, got wide"),
        ({"first.sizes": [1, "a"]}, "set.first.sizes must be a whole number, got a"),
        ({"first.sizes": []}, r"sizes must not be empty, got \(\)"),
    ],
)
def test_errors_name_the_option(changes, message):
    with pytest.raises(ec.InputError, match=message) as error:
        changed(OPTIONS, changes)
    assert "\n" not in str(error.value)
