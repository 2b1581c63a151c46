"""Why the exponents of real networks are near −½: preconditioning, noise density and coupling, one at a time (T13).

On a broad power-law spectrum and on natural patches: the plain x₀ loss or EDM's preconditioned network; every noise level equally
often or EDM's log-normal density; every level on its own, or coupled through a Gaussian kernel in ln σ, or through the noise
embedding of a real network. Half a minute.
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

import eigenclock as ec
from examples import plates

TIME = np.concatenate([[0.0], np.geomspace(1e-6, 1e8, 500)])
LENGTHS = (0.5, 2.0, 8.0)


def embedding(sigma: np.ndarray) -> np.ndarray:
    """Sinusoidal noise embedding of DDPM++ at c_noise = ln(σ)/4, 16 channels of frequencies 1 to 1/100, scaled to unit kernel."""
    phase = np.log(sigma)[:, None] / 4 * np.geomspace(1, 0.01, 16)
    return np.concatenate([np.cos(phase), np.sin(phase)], axis=1) / 4


NETWORKS: dict[str, ec.Architecture] = {
    "none": ec.OneLayer(0.0),
    **{f"Gaussian, {length:g} e-folds": ec.Coupled(ec.GaussianKernel(length)) for length in LENGTHS},
    "noise embedding": ec.Coupled(ec.FeatureMap(embedding)),
}
DENSITIES = {"equal": None, "log-normal": ec.LogNormal()}


def spectra(n: int) -> dict[str, ec.Spectrum]:
    """The reference of T13, and natural 16×16 patches in EDM's units."""
    images = ec.data.natural_patches(16, n=n).standardized().samples
    return {"power law": ec.Spectrum(np.logspace(1.5, -4, 45)), "natural patches": ec.Spectrum.from_samples(images)}


def main(out: Path, n: int = 10_000) -> str:
    """Write shared_weights; the ablation as Markdown."""
    rows, records, curves = [], [], {}
    for data, spectrum in spectra(n).items():
        for preconditioned in (False, True):
            for density_name, density in DENSITIES.items():
                for coupling, network in NETWORKS.items():
                    objective = ec.EDM(density=density) if preconditioned else ec.Denoising(density=density)
                    curve = ec.predict(spectrum, objective=objective, architecture=network, time=TIME)
                    clock = curve.emergence()
                    if preconditioned and density is not None:
                        curves[data, coupling] = clock
                    laws = {direction: clock.power_law(direction) for direction in ("rising", "falling")}
                    setting = {
                        "data": data,
                        "network": "EDM" if preconditioned else "plain x₀",
                        "density": density_name,
                        "coupling": coupling,
                    }
                    rows.append({**setting, **{direction: plates.law_text(law) for direction, law in laws.items()}})
                    for direction, law in laws.items():
                        low, high = law.interval
                        numbers = {
                            "exponent": law.exponent,
                            "low": low,
                            "high": high,
                            "n": law.n,
                            "censored": law.censored,
                        }
                        records.append({**setting, "direction": direction, **numbers})
    times = [clock.to_dataframe().assign(data=data, coupling=coupling) for (data, coupling), clock in curves.items()]
    plates.save(_figure(curves), pd.DataFrame(records), out, "shared_weights", times=pd.concat(times))
    return plates.markdown(rows)


def _figure(curves: dict[tuple[str, str], ec.Emergence]) -> plt.Figure:
    figure, axes = plt.subplots(1, 2, figsize=(11, 4.4), layout="constrained")
    for (data, coupling), clock in curves.items():
        ax, colour = axes[int(data != "power law")], plates.COLOURS[list(NETWORKS).index(coupling)]
        for direction, marker in (("rising", "^"), ("falling", "v")):
            shown = clock.select(direction)
            label = coupling if direction == "falling" else None
            ax.loglog(clock.target[shown], clock.time[shown], marker, color=colour, ms=4, label=label)
        ax.set(title=data, xlabel="variance λ (data units²)")
    axes[0].set_ylabel("emergence time ητ")
    axes[0].legend(frameon=False, fontsize=8, title="coupling of noise levels\n▲ rising  ▼ falling", title_fontsize=8)
    figure.suptitle("EDM's network and noise density")
    return figure


if __name__ == "__main__":
    print(main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("runs/shared_weights")))
