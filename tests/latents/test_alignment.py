"""Tests of `eigenclock.latents.alignment`."""

import numpy as np
import pytest
import torch

import eigenclock as ec
from eigenclock.latents.alignment import equal_information_angle, mcr, scr, ssr, turned
from eigenclock.latents.convolutions import token_norm


def test_alignments_vanish_at_the_prior_and_ignore_scale(rng):
    z = torch.as_tensor(rng.standard_normal((3, 4, 2, 2)))
    zt = torch.as_tensor(rng.standard_normal((3, 4, 2, 2)))
    assert float(ssr(z, z)) == 0
    assert float(scr(z, z)) == pytest.approx(0, abs=1e-12)
    assert float(ssr(3 * z, zt)) == pytest.approx(float(ssr(z, zt)), rel=1e-12)
    assert float(scr(3 * z, zt)) == pytest.approx(float(scr(z, zt)), rel=1e-12)
    q = torch.as_tensor(np.linalg.qr(rng.standard_normal((4, 4)))[0])
    assert float(ssr(torch.einsum("de,nehw->ndhw", q, zt), zt)) == pytest.approx(0, abs=1e-12)
    assert float(scr(torch.einsum("de,nehw->ndhw", q, zt), zt)) > 0.1
    with pytest.raises(
        ec.InputError, match=r"latents \(n, d, h, w\) of one shape, got \(3, 4, 2, 2\) and \(3, 4, 1, 2\)"
    ):
        ssr(z, zt[:, :, :1])


def test_alignments_by_hand(rng):
    """Token by token, without any of the code's vectorisation."""
    z, zt = rng.standard_normal((2, 2, 3, 1, 2))
    cosine = lambda a, b: a @ b / np.linalg.norm(a) / np.linalg.norm(b)  # noqa: E731
    gram, whole = [], []
    for a, b in zip(z.reshape(2, 3, 2), zt.reshape(2, 3, 2), strict=True):
        gram += [(cosine(a[:, i], a[:, j]) - cosine(b[:, i], b[:, j])) ** 2 for i in range(2) for j in range(2)]
        whole.append(1 - cosine(a.mean(1), b.mean(1)) + np.mean([1 - cosine(a[:, i], b[:, i]) for i in range(2)]))
    assert float(ssr(torch.as_tensor(z), torch.as_tensor(zt))) == pytest.approx(np.mean(gram), rel=1e-10)
    assert float(scr(torch.as_tensor(z), torch.as_tensor(zt))) == pytest.approx(np.mean(whole), rel=1e-10)


def test_local_continuity_does_not_move_its_targets(rng):
    """The gradient is that of the turned images alone: the same with all targets replaced by numbers."""
    z = token_norm(torch.as_tensor(rng.standard_normal((4, 3, 2, 2))))
    weight = torch.as_tensor(rng.standard_normal((3, 3))).requires_grad_()
    decoder = lambda z: torch.einsum("de,nehw->ndhw", weight, z)  # noqa: E731
    dist = lambda a, b: (a - b).square().flatten(1).mean(1)  # noqa: E731
    mcr(z, decoder, (20.0, 40.0), dist, generator=torch.Generator().manual_seed(0)).backward()
    direction = torch.randn(z.shape, generator=torch.Generator().manual_seed(0), dtype=z.dtype)
    fixed = weight.detach().clone()
    still = lambda z: torch.einsum("de,nehw->ndhw", fixed, z)  # noqa: E731
    other = fixed.clone().requires_grad_()
    moving = lambda z: torch.einsum("de,nehw->ndhw", other, z)  # noqa: E731
    near, far = (turned(z, direction, angle) for angle in (20.0, 40.0))
    value = sum(
        (moving(a) - still(b)).abs().mean() + dist(moving(a), still(b)).mean() for a, b in ((near, z), (far, near))
    )
    value.backward()
    assert torch.allclose(weight.grad, other.grad)
    for angles in ((0.0, 40.0), (20.0, 95.0)):
        with pytest.raises(ec.InputError, match="angles"):
            mcr(z, decoder, angles, dist)


@pytest.mark.parametrize("degrees", [42.5, 85.0])
def test_angle_of_a_turn(degrees):
    """Within 2 degrees in many dimensions."""
    fresh = torch.Generator().manual_seed(0)
    z = token_norm(torch.randn(4, 32, 16, 16, generator=fresh))
    after = turned(z, torch.randn(z.shape, generator=fresh), degrees).flatten(1)
    cosine = (after * z.flatten(1)).sum(1) / after.norm(dim=1) / z.flatten(1).norm(dim=1)
    assert np.allclose(np.degrees(np.arccos(cosine.numpy())), degrees, atol=2)


def test_equal_information_angle():
    assert equal_information_angle(8192) == pytest.approx(85, abs=0.1)
    assert equal_information_angle(128) == pytest.approx(52, abs=0.5)
    assert [round(equal_information_angle(d)) for d in (64, 256, 512, 1024)] == [38, 62, 70, 76]
