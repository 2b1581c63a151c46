"""Tests of `eigenclock.latents.diagnose`."""

import numpy as np
import pytest
import torch

import eigenclock as ec
from eigenclock.latents.diagnose import effective_rank, global_semantics, spatial_structure, token_labels
from eigenclock_studies.prior_aligned_latents import recode


def test_spatial_structure_of_known_layouts(rng):
    """Two directions laid out by the mask: 1; the same with labels permuted: near chance."""
    masks = (rng.uniform(size=(40, 8, 8)) < 0.5).astype(int)
    directions = np.linalg.qr(rng.standard_normal((6, 6)))[0][:2]
    z = directions[masks].transpose(0, 3, 1, 2) + 0.01 * rng.standard_normal((40, 6, 8, 8))
    found = ec.diagnose_latents(z, masks=masks)
    assert float(found["value"].sel(metric="ssc")) == pytest.approx(1, abs=1e-6)
    assert float(found["chance"].sel(metric="ssc")) < 0.1
    wrong = ec.diagnose_latents(z, masks=masks[rng.permutation(40)])
    assert float(wrong["value"].sel(metric="ssc")) < 0.15
    each, chance, few = spatial_structure(z, np.zeros((40, 64), dtype=int))
    assert (each.size, chance.size, few) == (0, 0, 40)


def test_invariances(rng):
    """Under one rotation of the channels of every token spatial structure and semantics stay, to 1e-3."""
    z, labels = rng.standard_normal((120, 4, 4, 4)), rng.integers(0, 3, 120)
    z[:, 0] += 2 * labels[:, None, None]
    masks = rng.integers(0, 3, (120, 8, 8))
    turned_z = recode("channel_rotation", (4, 4, 4), seed=1).forward(z)
    a, b = (ec.diagnose_latents(one, labels=labels, masks=masks) for one in (z, turned_z))
    assert np.allclose(a["value"].sel(metric=["ssc", "gsq"]), b["value"].sel(metric=["ssc", "gsq"]), atol=1e-3)


def test_semantics_and_rank(rng):
    labels = np.repeat(np.arange(4), 50)
    apart = 20 * np.eye(4, 6)[labels] + rng.standard_normal((200, 6))
    assert float(ec.diagnose_latents(apart, labels=labels)["value"].sel(metric="gsq")) == 1
    noise = rng.standard_normal((1500, 6))
    found = ec.diagnose_latents(noise, labels=rng.integers(0, 4, 1500))
    value, low, high = (float(found[name].sel(metric="gsq")) for name in ("value", "low", "high"))
    assert low < 0.25 < high
    assert value == pytest.approx(float(found["chance"].sel(metric="gsq")), abs=4 * np.sqrt(0.19 / 1500))
    assert effective_rank(noise) == pytest.approx(1, abs=0.01)
    assert effective_rank(np.outer(rng.standard_normal(100), np.ones(5))) == pytest.approx(1 / 5)


def test_spectrum_and_clocks_of_a_latent_space(rng):
    """Channels are standardised; the spectrum is that of the covariance; flat spaces are learned first."""
    mix = np.diag([3.0, 1.0]) @ np.array([[1.0, 0.9], [0.9, 1.0]])
    z = rng.standard_normal((4000, 2)) @ mix
    found = ec.diagnose_latents(z)
    assert np.allclose(found["raw_spectrum"], np.linalg.eigvalsh(np.corrcoef(z.T))[::-1], rtol=1e-8)
    assert np.allclose(found["spectrum"], found["raw_spectrum"], rtol=4 * np.sqrt(2 / 4000))  # cross-validated, T22
    assert found["t_lin_low"] <= found["t_lin"] <= found["t_lin_high"]
    flat = ec.diagnose_latents(rng.standard_normal((4000, 2)))
    assert float(flat["t_lin"]) < float(found["t_lin"])
    assert float(flat["participation_ratio"]) == pytest.approx(2, abs=0.01)
    assert found.attrs["skipped"] == "ssc: no masks were given; lpc: no decoder was given; gsq: no labels were given"


@pytest.mark.parametrize("n", [100, 300])
def test_white_latents_are_white_or_doubted(rng, n):
    """4×4×4 white latents, whose true time is 0: it is in the interval, and they are fewer than ten for a dimension."""
    with pytest.warns(ec.InputWarning, match="t_lin may be too low"):
        found = ec.diagnose_latents(rng.standard_normal((n, 4, 4, 4)))
    assert found["t_lin_low"] <= 0 <= found["t_lin_high"]
    assert "t_lin may be too low" in found.attrs["doubts"]


DIAGNOSIS_ERRORS = [
    (lambda z: {"latents": np.where(z > 1, np.nan, z)}, "latents must be"),
    (lambda z: {"latents": z[0]}, r"latents must have shape \(n, d, h, w\) or \(n, D\), got \(4, 2, 2\)"),
    (lambda z: {"latents": z[:1]}, "latents must hold at least 2 samples, got 1"),
    (lambda z: {"latents": z, "labels": [1, 2]}, r"labels must have shape \(20,\), got \(2,\)"),
    (
        lambda z: {"latents": z, "masks": np.zeros((3, 4, 4), int)},
        r"masks must have shape \(20, H, W\), got \(3, 4, 4\)",
    ),
    (
        lambda z: {"latents": z, "masks": np.zeros((20, 5, 4), int)},
        "masks must have sides divisible by the grid 2×2, got 5×4",
    ),
    (lambda z: {"latents": z, "masks": np.zeros((20, 4, 4))}, "masks must be whole numbers, got float64"),
    (
        lambda z: {"latents": z, "decoder": lambda z: torch.zeros(1, 3, 4, 4)},
        "decoder must return one image per latent, got 1 for",
    ),
    (lambda z: {"latents": z, "sigma": 0.0}, "sigma must be a finite number > 0, got 0.0"),
]


@pytest.mark.parametrize(("make", "message"), DIAGNOSIS_ERRORS)
def test_errors_of_the_diagnosis(make, message, rng):
    with pytest.raises(ec.InputError, match=message):
        ec.diagnose_latents(**make(rng.standard_normal((20, 4, 2, 2))))


def test_warnings_of_the_diagnosis(rng):
    z = rng.standard_normal((20, 4, 2, 2))
    with pytest.warns(UserWarning, match="labels name one class"):
        ec.diagnose_latents(z, labels=np.zeros(20, int))
    with pytest.warns(UserWarning, match="masks are constant"):
        ec.diagnose_latents(z, masks=np.zeros((20, 4, 4), int))
    z[3, :, 0, 0] = 0
    with pytest.warns(UserWarning, match="tokens of norm zero"):
        ec.diagnose_latents(z)


def test_latents_sorted_by_class_are_drawn_from_at_random(rng):
    """As folders of images come: no semantics in white noise, whatever the order; flat latents reach the decoder flat."""
    labels = np.repeat(np.arange(3), 1500)
    z = rng.standard_normal((4500, 5))
    found = ec.diagnose_latents(z, labels=labels)
    assert float(found["value"].sel(metric="gsq")) == pytest.approx(1 / 3, abs=4 * np.sqrt(2 / 9 / 2000))
    assert float(found["chance"].sel(metric="gsq")) == pytest.approx(1 / 3, abs=0.01)
    shapes = set()
    ec.diagnose_latents(z, lambda one: shapes.add(one.shape[1:]) or one.reshape(-1, 1, 1, 5).expand(-1, 3, 8, 5))
    assert shapes == {(5,)}
    assert np.isnan(float(found["low"].sel(metric="erank")))


def test_labels_of_tokens():
    masks = np.zeros((1, 4, 4), int)
    masks[0, :2, :2], masks[0, 2:, 2:] = 7, [[3, 3], [3, 0]]
    assert token_labels(masks, 1, 2, 2).tolist() == [[7, 0, 0, 3]]


def test_latents_with_their_channels_last_are_said():
    z = np.random.default_rng(0).standard_normal((30, 8, 8, 4))
    with pytest.warns(ec.InputWarning, match=r"latents of shape \(30, 8, 8, 4\) look like \(n, h, w, d\)"):
        ec.diagnose_latents(z)
    ec.diagnose_latents(np.moveaxis(z, -1, 1))


def test_semantics_and_rank_by_hand(rng):
    """The nearest other by cosine, and the entropy of singular values, said once more in loops."""
    z, labels = rng.standard_normal((60, 5, 2, 2)), rng.integers(0, 3, 60)
    mean = z.mean(axis=(2, 3)) - z.mean(axis=(0, 2, 3))
    same = []
    for i in range(60):
        others = [j for j in range(60) if j != i]
        cosine = [mean[i] @ mean[j] / np.linalg.norm(mean[i]) / np.linalg.norm(mean[j]) for j in others]
        same.append(float(labels[others[int(np.argmax(cosine))]] == labels[i]))
    assert global_semantics(z, labels).tolist() == same
    eigenvalues = np.linalg.eigvalsh(mean.T @ mean)
    p = np.sqrt(eigenvalues) / np.sqrt(eigenvalues).sum()
    assert effective_rank(mean) == pytest.approx(np.exp(-(p * np.log(p)).sum()) / 5, rel=1e-10)


def test_spatial_structure_is_scikit_learns_spectral_clustering(rng):
    """On tokens of two or three segments with noise: the same mutual information but for k-means' own luck, 0.1 on average."""
    from sklearn.cluster import SpectralClustering
    from sklearn.metrics import normalized_mutual_info_score

    z, y, theirs = [], [], []
    for k in (2, 3, 2, 3, 2, 3):
        segments = np.repeat(np.arange(k), 24 // k)
        tokens = rng.standard_normal((k, 6))[segments] + 0.5 * rng.standard_normal((24, 6))
        unit = tokens / np.linalg.norm(tokens, axis=1, keepdims=True)
        affinity = np.exp((unit @ unit.T - 1) / 0.2)
        np.fill_diagonal(affinity, 0)
        clusters = SpectralClustering(k, affinity="precomputed", random_state=0, n_init=10).fit_predict(affinity)
        theirs.append(normalized_mutual_info_score(segments, clusters, average_method="geometric"))
        z.append(tokens.T.reshape(6, 4, 6))
        y.append(segments)
    ours, _, few = spatial_structure(np.array(z), np.array(y))
    assert few == 0
    assert ours.mean() == pytest.approx(np.mean(theirs), abs=0.1)
    assert ours.mean() > 0.5
