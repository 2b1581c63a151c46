"""Tests of `eigenclock.cli.cite`."""

import pytest

from eigenclock import cli


@pytest.mark.parametrize(
    ("arguments", "keys"),
    [
        ([], ["wang2025spectral", "karras2022elucidating"]),
        (["--objective", "Denoising", "--sampler", "ProbabilityFlow"], ["wang2025spectral"]),
        (["--objective", "FlowMatching", "--sampler", "ProbabilityFlow"], ["wang2025spectral", "lipman2023flow"]),
        (["--objective", "Velocity", "--sampler", "ProbabilityFlow"], ["wang2025spectral", "salimans2022progressive"]),
        (
            ["--objective", "Epsilon", "--sampler", "Euler"],
            ["wang2025spectral", "karras2022elucidating", "ho2020denoising"],
        ),
    ],
)
def test_cite_names_exactly_what_is_used(arguments, keys, capsys):
    cli.main(["cite", *arguments])
    cited = [line.split("{")[1].rstrip(",") for line in capsys.readouterr().out.splitlines() if line.startswith("@")]
    assert cited == keys
