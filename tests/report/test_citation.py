"""Citations: every paper that a part names is known."""

import pytest

import eigenclock as ec
from eigenclock.recipe.recipe import concrete
from eigenclock.report.citation import PAPERS, citations


@pytest.mark.parametrize("kind", [*concrete(ec.Objective), *concrete(ec.Sampler)])
def test_papers_of_every_part_are_known(kind):
    assert set(kind.papers) <= PAPERS.keys()


def test_entries_come_once_and_theory_first():
    found = citations(ec.Recipe(objective=ec.EDM(density=ec.LogNormal()), sampler=ec.EulerMaruyama()))
    assert [entry.split("{")[1].split(",")[0] for entry in found] == [
        "wang2025spectral",
        "karras2022elucidating",
        "song2021score",
    ]
