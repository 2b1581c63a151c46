"""Full-width and local convolutions (T10, T11): against explicit gradients, circular shifts, and each other."""

import numpy as np
import pytest
import scipy.integrate

import eigenclock as ec

RNG = np.random.default_rng(1)


def textured(*shape, n=300):
    """Correlated samples whose statistics differ from pixel to pixel and channel to channel."""
    x = RNG.standard_normal((n, *shape))
    x = x + 0.7 * np.roll(x, 1, axis=1)
    if len(shape) > 1:
        x = x + 0.5 * np.roll(x, (1, 1), axis=(2, len(shape))) * RNG.uniform(0.2, 1, shape)
    return 0.6 * x + 0.3


SHAPES = {"ring": (7,), "even ring": (8,), "image": (4, 5), "colour": (3, 4, 2), "coloured ring": (6, 1, 2)}
SPECTRA = {name: ec.Spectrum.from_samples(textured(*shape), basis="fourier") for name, shape in SHAPES.items()}


@pytest.mark.parametrize("kernel", [None, 1, 3])
@pytest.mark.parametrize("name", SPECTRA)
def test_gradient_of_the_weights_by_finite_differences(name, kernel):
    """The loss of a convolution written out sample by sample, moved weight by weight."""
    spectrum = SPECTRA[name]
    shape, c = spectrum.basis.shape, spectrum.basis.channels
    architecture = ec.Circulant(0.2) if kernel is None else ec.LocalConv(kernel, 0.2)
    network = architecture.trainable(spectrum, np.eye(spectrum.dimension), np.ones(1))
    rng, n = np.random.default_rng(2), 5
    x, y = rng.standard_normal((2, n, spectrum.dimension))
    w = network.start(1) + 0.1 * rng.standard_normal(network.start(1).shape)
    displacements = _displacements(shape, kernel)

    def output(weights):
        """D(y)[p, c] = Σ_{j, c'} w[j, c, c']·y[p + j, c'], by shifting whole images."""
        images = x.reshape(n, *spectrum.basis.grid, c)
        total = np.zeros_like(images)
        for taps, shift in zip(weights.reshape(-1, c, c), displacements, strict=True):
            moved = np.roll(images, [-s for s in shift], axis=tuple(range(1, 1 + len(shift))))
            total += moved @ taps.T
        return total.reshape(n, -1)

    def loss(weights):
        return ((output(weights) - y) ** 2).sum() / n

    assert np.allclose(output(w[0]), x @ network.weights(w)[0].T, atol=1e-12)
    gradient = network.pull_back(w, 2 * ((x @ network.weights(w)[0].T - y).T @ x)[None] / n)[0]
    for i in range(w.shape[1]):
        step = np.zeros(w.shape[1])
        step[i] = 1e-3
        # the loss is quadratic in the weights: central differences are exact but for rounding
        assert (loss(w[0] + step) - loss(w[0] - step)) / 2e-3 == pytest.approx(gradient[i], rel=1e-8, abs=1e-8)


def _displacements(shape, kernel):
    grid = shape[:2]
    all_of = [range(n) for n in grid]
    near = [[s for s in axis if kernel is None or min(s, len(axis) - s) <= kernel // 2] for axis in all_of]
    return [(s,) for s in near[0]] if len(grid) == 1 else [(s, t) for s in near[0] for t in near[1]]


@pytest.mark.parametrize("objective", [ec.Denoising(), ec.EDM(), ec.FlowMatching()], ids=str)
@pytest.mark.parametrize("name", SPECTRA)
def test_circulant_equals_one_layer_trained_on_all_circular_shifts(name, objective):
    """App. G.3.2, at every time: the fully connected network at N times the learning rate, in a basis that knows no waves."""
    shape = SHAPES[name]
    x = textured(*shape, n=20)
    centred = x - x.mean(axis=(0, 1) if len(shape) == 1 else (0, 1, 2))
    axes = (1,) if len(shape) == 1 else (1, 2)
    shifts = [np.roll(centred, shift, axes) for shift in np.ndindex(*shape[: len(axes)])]
    fourier = ec.Spectrum.from_samples(x - x.mean(axis=0) if len(shape) == 1 else x, basis="fourier")
    everything = np.concatenate([np.roll(x - x.mean(axis=0), shift, axes) for shift in np.ndindex(*shape[: len(axes)])])
    assert len(shifts) == fourier.positions
    pca = ec.Spectrum.from_samples(everything)
    recipe = {"objective": objective, "time": [0.0, 0.5, 5.0, np.inf], "sampler": ec.Heun(steps=8)}
    shared = ec.predict(
        fourier, architecture=ec.Circulant(0.1), optimizer=ec.GradientFlow(0.01), keep_covariance=True, **recipe
    )
    connected = ec.predict(
        pca, architecture=ec.OneLayer(0.1), optimizer=ec.GradientFlow(0.01 * fourier.positions), **recipe
    )
    modes = [
        s.basis.from_modes(np.eye(s.n_modes)).reshape(s.n_modes, -1) for s in (shared.spectrum, connected.spectrum)
    ]
    for i in range(4):
        one = modes[0].T @ (shared.variance.values[i][:, None] * modes[0])
        two = modes[1].T @ (connected.variance.values[i][:, None] * modes[1])
        assert np.abs(one - two).max() <= 1e-9 * np.abs(two).max()


@pytest.mark.parametrize("name", ["ring", "coloured ring"])
def test_a_kernel_as_wide_as_the_grid_is_a_circulant(name):
    spectrum = ec.Spectrum.from_samples(textured(7, 1, 2) if name == "coloured ring" else textured(7), basis="fourier")
    recipe = {
        "objective": ec.EDM(),
        "optimizer": ec.GradientFlow(0.01),
        "time": [0.0, 1.0, 30.0, np.inf],
        "keep_covariance": True,
    }
    wide = ec.predict(spectrum, architecture=ec.LocalConv(7, 0.2), **recipe)
    full = ec.predict(spectrum, architecture=ec.Circulant(0.2), **recipe)
    # matrix steps against quadrature: the Magnus error at 100 nodes
    assert np.allclose(wide.variance, full.variance, rtol=1e-7)
    assert np.allclose(wide.covariance, full.covariance, rtol=1e-7, atol=1e-7)


def test_local_weights_solve_their_gradient_flow():
    """w' = −lr·∂loss/∂w integrated numerically, its transfer function by summing waves."""
    spectrum, sigma, lr, time = SPECTRA["ring"].stationary(), np.array([0.3, 2.0]), 0.01, np.array([0.5, 5.0, 60.0])
    network = ec.LocalConv(3, 0.4)
    covariance = spectrum.covariance()
    offsets = np.array([-1, 0, 1])
    patches = [np.eye(7)[[(p + j) % 7 for j in offsets]] for p in range(7)]
    curve = ec.predict(
        spectrum, architecture=network, optimizer=ec.GradientFlow(lr), time=time, sigma=sigma, keep_gain=True
    )
    waves = spectrum.basis.frequency[:, 0]
    for i, level in enumerate(sigma):

        def slope(_, w, level=level):
            out = np.zeros(3)
            for p, cut in enumerate(patches):
                noisy = cut @ (covariance + level**2 * np.eye(7)) @ cut.T
                out -= 2 * lr * (noisy @ w - cut @ covariance[:, p])
            return out

        solution = scipy.integrate.solve_ivp(
            slope, (0, time[-1]), [0.0, 0.4, 0.0], method="LSODA", t_eval=time, rtol=1e-12, atol=1e-14
        )
        transfer = np.cos(2 * np.pi * np.outer(waves, offsets)) @ solution.y  # symmetric weights: no imaginary part
        assert np.abs(curve.gain.values[:, :, i] - transfer.T).max() <= 1e-8


@pytest.mark.parametrize("kernel", [None, 3])
@pytest.mark.parametrize("name", ["ring", "image", "colour"])
def test_kernels_in_closed_form(name, kernel):
    """Against explicit descent of the shared weights on the data's whole covariance, 40 steps."""
    spectrum, lr, sigma = SPECTRA[name], 0.002, np.array([0.4, 1.5])
    architecture = ec.Circulant(0.3) if kernel is None else ec.LocalConv(kernel, 0.3)
    network = architecture.trainable(spectrum, np.eye(spectrum.dimension), sigma)
    parameters, covariance = network.start(2), spectrum.covariance()
    noisy = covariance + sigma[:, None, None] ** 2 * np.eye(spectrum.dimension)
    for _ in range(40):
        gradient = 2 * (network.weights(parameters) @ noisy - covariance)
        parameters = parameters - lr * network.pull_back(parameters, gradient)
    found = architecture.weights(ec.Denoising(), spectrum, sigma, ec.GradientDescent(lr), np.array([40.0]))[0]
    grid, c = spectrum.basis.grid, spectrum.basis.channels
    for displacement, taps in zip(
        _displacements(spectrum.basis.shape, kernel), parameters.reshape(2, -1, c, c).swapaxes(0, 1), strict=True
    ):
        if kernel is None:
            place = np.ravel_multi_index(displacement, grid)
        else:
            place = np.ravel_multi_index(
                [(d + 1) % n for d, n in zip(displacement, grid, strict=True)], [3] * len(grid)
            )
        assert np.abs(found[:, place] - taps).max() < 1e-10


def test_channels_go_their_own_way_where_they_are_independent():
    """A matrix route on diagonal cross-spectra is the scalar route of each channel."""
    one, two = 1 / (0.02 + np.fft.fftfreq(9) ** 2), 1 / (0.5 + np.fft.fftfreq(9) ** 2)
    both = np.zeros((9, 2, 2))
    both[:, 0, 0], both[:, 1, 1] = one, two
    recipe = {"optimizer": ec.GradientFlow(1e-3), "time": [1.0, 10.0, 200.0], "architecture": ec.LocalConv(3, 0.3)}
    for sampler in (ec.Heun(steps=10), ec.Stochastic(steps=10), ec.ProbabilityFlow(0.02, 20.0, nodes=150)):
        together = ec.predict(ec.Spectrum.from_power(both, channels=True), sampler=sampler, **recipe)
        apart = [
            ec.predict(ec.Spectrum.from_power(power), sampler=sampler, **recipe).variance.values for power in (one, two)
        ]
        expected = np.sort(np.concatenate(apart, axis=1), axis=1)
        assert np.allclose(np.sort(together.variance.values, axis=1), expected, rtol=1e-7)


def test_samples_of_a_convolution_have_its_covariance():
    spectrum = SPECTRA["colour"]
    curve = ec.predict(
        spectrum,
        architecture=ec.LocalConv(3),
        optimizer=ec.GradientFlow(0.01),
        time=[3.0],
        sampler=ec.Heun(steps=10),
        keep_covariance=True,
    )
    n = 60_000
    coordinates = curve.spectrum.to_modes(curve.sample(n, time=3.0, seed=0))
    expected = curve.covariance.values[0]
    measured = np.cov(coordinates.T, bias=True)
    error = np.sqrt((np.outer(np.diag(expected), np.diag(expected)) + expected**2) / n)
    assert np.abs((measured - expected) / error).max() < 5  # 300 entries
    assert np.abs(expected - np.diag(np.diag(expected))).max() > 1e-3 * expected.max(), (
        "channels must be correlated here"
    )


def test_distances_of_channels_are_those_of_the_whole_covariance():
    spectrum = SPECTRA["colour"]
    recipe = {
        "optimizer": ec.GradientFlow(0.01),
        "time": [0.5, 5.0, 100.0],
        "sampler": ec.Heun(steps=10),
        "keep_covariance": True,
    }
    curve = ec.predict(spectrum, architecture=ec.LocalConv(3), **recipe)
    target, zero = np.diag(curve.target.values), np.zeros(spectrum.n_modes)
    for i in range(3):
        covariance = curve.covariance.values[i]
        assert curve.kl().values[i] == pytest.approx(ec.divergences.kl_full(zero, covariance, zero, target), rel=1e-9)
        expected = ec.divergences.wasserstein_full(zero, covariance, zero, target)
        assert curve.wasserstein().values[i] == pytest.approx(expected, rel=1e-9)
        assert curve.alignment.values[i] == pytest.approx(ec.divergences.alignment(covariance), rel=1e-9)


def test_distances_along_other_modes_need_the_covariance():
    """Waves are no modes of non-stationary data: the distance from the data themselves is larger than from their power."""
    x = textured(6, 5)
    fourier, pca = ec.Spectrum.from_samples(x, basis="fourier"), ec.Spectrum.from_samples(x)
    curve = ec.predict(fourier, architecture=ec.Circulant(), time=[1.0, 1e4])
    with pytest.raises(ec.InputError, match="keep_covariance"):
        curve.along(pca).kl()
    along = curve.along(pca, keep_covariance=True)
    waves = curve.spectrum.basis.from_modes(np.eye(30)).reshape(30, 30)
    for i in range(2):
        covariance = waves.T @ np.diag(curve.variance.values[i]) @ waves
        data, zero = pca.covariance(), np.zeros(30)
        assert along.kl().values[i] == pytest.approx(ec.divergences.kl_full(zero, covariance, zero, data), rel=1e-6)
        assert along.wasserstein().values[i] == pytest.approx(
            ec.divergences.wasserstein_full(zero, covariance, zero, data), rel=1e-6
        )
    assert along.wasserstein()[-1] > 2 * curve.wasserstein()[-1]
    assert "stationary" in curve.wasserstein().attrs["long_name"]
    assert along.sample(3, time=1.0, seed=0).shape == (3, 6, 5)


def test_variance_along_pca_modes():
    """uᵀF·diag(v)·F*u, by building the circulant covariance and turning it."""
    x = textured(6, 5)
    fourier, pca = ec.Spectrum.from_samples(x, basis="fourier"), ec.Spectrum.from_samples(x)
    recipe = {"optimizer": ec.GradientFlow(0.01), "time": [0.5, 5.0]}
    for architecture in (ec.Circulant(), ec.LocalConv(3)):
        curve = ec.predict(fourier, architecture=architecture, **recipe)
        along = curve.along(pca)
        waves = curve.spectrum.basis.from_modes(np.eye(30)).reshape(30, 30)
        for i in range(2):
            covariance = waves.T @ np.diag(curve.variance.values[i]) @ waves
            assert np.allclose(
                along.variance.values[i], np.diag(pca.basis.components @ covariance @ pca.basis.components.T)
            )
        assert (along.target.values == pca.variance).all()
    colour = SPECTRA["colour"]
    kept = ec.predict(colour, architecture=ec.LocalConv(3), keep_covariance=True, **recipe)
    again = kept.along(kept.spectrum)
    assert np.allclose(again.variance, kept.variance)
    assert np.allclose(again.initial, kept.initial)


def test_positions_share_weights_and_learn_together():
    """N positions: N times faster than one layer, mode by mode."""
    ring = ec.Spectrum.from_power(1 / (0.01 + np.fft.fftfreq(64) ** 2))
    shared = ec.predict(ring, architecture=ec.Circulant(), optimizer=ec.GradientFlow(1e-3))
    alone = ec.predict(ring, architecture=ec.OneLayer(), optimizer=ec.GradientFlow(64e-3))
    assert np.allclose(shared.variance, alone.variance, rtol=1e-12)


FOURIER, PCA = SPECTRA["image"], ec.Spectrum.from_samples(textured(4, 5))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ec.LocalConv(4), r"kernel must be odd, got 4"),
        (lambda: ec.LocalConv(-1), r"kernel must be a whole number >= 1, got -1"),
        (lambda: ec.predict(FOURIER, architecture=ec.LocalConv(5)), r"kernel must be at most the grid, 4×5, got 5"),
        (
            lambda: ec.predict(PCA, architecture=ec.Circulant()),
            r'convolutions need Fourier modes, got PCA: use Spectrum\.from_samples\(x, basis="fourier"\)',
        ),
        (lambda: ec.predict(PCA, architecture=ec.LocalConv(3)), r"convolutions need Fourier modes, got PCA: .*"),
        (lambda: ec.simulate(PCA, architecture=ec.LocalConv(3), time=[1.0]), r"convolutions need Fourier modes, got PCA: .*"),
        (
            lambda: ec.predict(ec.Spectrum([3.0, 2.0, 1.0]), architecture=ec.LocalConv(3)),
            r"LocalConv takes abstract modes for the power spectrum of a 1-D grid, equal at ±k .*",
        ),
        (lambda: PCA.cross_spectrum, r"a power spectrum needs Fourier modes: .*"),
        (lambda: ec.Spectrum.from_power([1.0, 2.0, 3.0]), r"power must be the same at ±k .*"),
        (lambda: ec.Spectrum.from_power([1.0, -2.0]), r"power must be >= 0, got -2"),
        (lambda: ec.Spectrum.from_power(np.ones((2, 2, 2))), r"power must have shape \(n,\) or \(h, w\), .*"),
        (
            lambda: ec.predict(SPECTRA["colour"], architecture=ec.LocalConv(3), time=[1.0]).sample(1, time=1.0, seed=0),
            r"modes of this curve are correlated, and their covariance was not kept: pass keep_covariance=True",
        ),
        (
            lambda: ec.predict(SPECTRA["colour"], architecture=ec.LocalConv(3), time=[1.0]).along(SPECTRA["colour"]),
            r"modes of this curve are correlated, .*",
        ),
        (lambda: ec.predict(ec.Spectrum([1.0])).along(PCA), r"along needs two spectra with bases of the same sample shape, .*"),
    ],
)  # fmt: skip
def test_errors(make, message):
    with pytest.raises(ec.InputError, match=f"^{message}$"):
        make()
