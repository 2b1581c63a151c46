"""How a gain becomes a generated variance: the probability-flow ODE, exactly (T5) or in the steps of a real sampler (T6).

All samplers integrate dx/dσ = (x − D(x, σ))/σ in the EDM frame, from x = sigma_max·noise. On a mode where D has gain ψ
the equation is linear, so the sampler multiplies the mode's variance by a number that only ψ at `levels` decides. Where D
is a matrix the same steps are products of matrices.
"""

from .angular import Angular as Angular
from .base import Sampler as Sampler
from .deterministic import Euler as Euler, Heun as Heun
from .flow import ProbabilityFlow as ProbabilityFlow
from .stochastic import EulerMaruyama as EulerMaruyama, Stochastic as Stochastic
