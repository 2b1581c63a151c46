"""Every objective, as tests loop over them."""

import eigenclock as ec

OBJECTIVES = [
    ec.Denoising(),
    ec.Denoising(path="vp"),
    ec.Denoising(weight="edm"),
    ec.Denoising(weight="snr", density=ec.LogNormal()),
    ec.EDM(),
    ec.EDM(sigma_data=1.3, density=ec.LogNormal(-1.2, 1.2)),
    ec.Epsilon(),
    ec.Epsilon(path="vp", weight="edm"),
    ec.Velocity(),
    ec.Score(),
    ec.FlowMatching(),
    ec.FlowMatching(weight="snr", density=ec.LogNormal(0.0, 1.0)),
]
ARCHITECTURES = [ec.OneLayer(0.1), ec.OneLayer(0.0), ec.TiedTwoLayer(0.3)]
OPTIMIZERS = [ec.GradientFlow(lr=0.005), ec.GradientDescent(lr=0.005), ec.HeavyBall(lr=0.005, momentum=0.6)]
SAMPLERS = [
    ec.ProbabilityFlow(sigma_min=0.3, sigma_max=3.0),
    ec.Euler(steps=6, sigma_min=0.3, sigma_max=3.0),
    ec.Heun(steps=6, sigma_min=0.3, sigma_max=3.0),
]
