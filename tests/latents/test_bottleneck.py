"""Tests of `eigenclock.latents.bottleneck`."""

import torch

from eigenclock.latents.bottleneck import Conservative


def test_conservative_network_is_a_gradient(rng):
    """Symmetric Jacobian, equal to the gradient of its potential; reduced to all its directions it is the same map."""
    network = Conservative(7, 12, 12).double()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(torch.as_tensor(0.5 * rng.standard_normal(parameter.shape)))
    x = torch.as_tensor(rng.standard_normal((3, 7)))
    jacobian = torch.func.vmap(torch.func.jacrev(lambda one: network.whole(one[None])[0]))(x)
    assert torch.allclose(jacobian, jacobian.transpose(1, 2), atol=1e-12)
    gradient = torch.func.vmap(torch.func.grad(lambda one: network.potential(one[None])[0]))(x)
    assert torch.allclose(gradient, network.whole(x), atol=1e-6)  # the trapezoidal rule of 2,001 nodes
    whole = network.denoise(x)
    network.reduce(torch.as_tensor(rng.standard_normal((200, 7))))
    assert torch.allclose(network.denoise(x), whole, atol=1e-10)
