"""The table "which formula do I use", asked of the code itself, so that it cannot go stale."""

from pathlib import Path

import eigenclock as ec
from eigenclock.recipe.recipe import concrete
from examples import pages, plates

OBJECTIVES = {
    "`Denoising()`": ec.Denoising(),
    "`FlowMatching()`": ec.FlowMatching(),
    "any other, weight, path or density": ec.EDM(density=ec.LogNormal()),
    "`SpectralEDM()`": ec.SpectralEDM(),
}
VARIANTS: dict[str, ec.Architecture] = {
    "`OneLayer`": ec.OneLayer(),
    "`TiedTwoLayer`": ec.TiedTwoLayer(),
    "`TwoLayer`, p = q": ec.TwoLayer((0.3, 0.3)),
    "`TwoLayer`, p ≠ q": ec.TwoLayer((0.3, 0.1)),
    "`DeepLinear(depth=1)`": ec.DeepLinear(1),
    "`DeepLinear(depth=2)`, balanced": ec.DeepLinear(2),
    "`DeepLinear(depth=3…)`": ec.DeepLinear(3),
    "`Residual(depth=1)`": ec.Residual(1),
    "`Residual(depth=2)`": ec.Residual(2),
    "`Residual(depth=3…)`": ec.Residual(3),
    "`Circulant`": ec.Circulant(),
    "`LocalConv`": ec.LocalConv(3),
    "`LocalConv`, channels": ec.LocalConv(3),
    "`Coupled`": ec.Coupled(),
    "`Affine`": ec.Affine(),
    "`UnalignedOneLayer`": ec.UnalignedOneLayer(),
    "`UnalignedTiedTwoLayer`": ec.UnalignedTiedTwoLayer(),
}
ARCHITECTURES = VARIANTS | {
    f"`{kind.__name__}`": kind()
    for kind in concrete(ec.Architecture)
    if kind not in {type(known) for known in VARIANTS.values()}
}
"""Every architecture: those whose formula depends on their options in several rows, any other as it is by default."""

SAMPLERS: dict[str, ec.Sampler] = {
    "exact flow": ec.ProbabilityFlow(),
    "exact flow, σ from ∞ to 0": ec.ProbabilityFlow(0.0, float("inf")),
    "`Euler`, `Heun`": ec.Heun(),
    "`Stochastic`, `EulerMaruyama`": ec.Stochastic(),
    "`Angular`": ec.Angular(),
}


def variance_table() -> str:
    """How the generated variance is found: objective × architecture × sampler, under gradient flow."""
    rows = []
    for name, architecture in ARCHITECTURES.items():
        channels = 3 if "channels" in name else 1
        found = {
            title: tuple(
                ec.variance_by(ec.Recipe(objective, architecture, ec.GradientFlow(), sampler), channels=channels)
                for sampler in SAMPLERS.values()
            )
            for title, objective in OBJECTIVES.items()
        }
        grouped: dict[tuple[str, ...], list[str]] = {}
        for title, cells in found.items():
            grouped.setdefault(cells, []).append(title)
        for cells, titles in grouped.items():
            label = "all" if len(titles) == len(OBJECTIVES) else ", ".join(titles)
            rows.append({"architecture": name, "objective": label, **dict(zip(SAMPLERS, cells, strict=True))})
    return plates.markdown(rows)


def gain_table() -> str:
    """How the gain is found: architecture × optimizer."""
    optimizers = {
        "`GradientFlow`": ec.GradientFlow(),
        "`GradientDescent`": ec.GradientDescent(),
        "`HeavyBall`": ec.HeavyBall(),
    }
    return plates.markdown(
        [
            {
                "architecture": name,
                **{title: architecture.gain_by(optimizer) for title, optimizer in optimizers.items()},
            }
            for name, architecture in ARCHITECTURES.items()
            if "channels" not in name
        ]
    )


if __name__ == "__main__":
    for name, table in (("variance", variance_table()), ("gain", gain_table())):
        pages.insert(Path("docs/formulas.md"), name, table)
