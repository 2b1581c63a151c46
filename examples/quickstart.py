"""When does a diffusion model come to natural image patches? Prediction, clock, law, samples: a second on a laptop.

Expected output (numbers to the printed digit):

    90 % of the variance begun: step 89
    time ∝ variance^-0.450 [-0.453, -0.447] (falling, geometric threshold, R² 0.999, n=229; left out: 11 gray-zone, ...)
    (4, 16, 16)
"""

import numpy as np

import eigenclock as ec


def main() -> None:
    """The README's ten lines."""
    patches = ec.data.natural_patches(16).standardized()
    spectrum = ec.Spectrum.from_samples(patches.samples)
    curve = ec.predict(
        spectrum,
        objective=ec.EDM(sigma_data=0.5),
        architecture=ec.OneLayer(init=0.0),
        optimizer=ec.GradientDescent(lr=0.002),
        sampler=ec.Heun(steps=20),
        time=np.geomspace(1, 1e5, 300),
    )
    clock = curve.emergence()
    print(f"90 % of the variance begun: step {clock.variance_begun(0.9):.0f}")
    print(clock.power_law("falling"))
    print(curve.sample(4, time=100, seed=0).shape)


if __name__ == "__main__":
    main()
