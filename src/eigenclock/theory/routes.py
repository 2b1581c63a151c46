"""From a recipe to generated variance: mode by mode, frequency by frequency for local convolutions, or by whole matrices."""

from ..checks import InputError, instance, integer
from ..recipe.architectures import Architecture
from ..recipe.recipe import Recipe
from ..recipe.samplers import ProbabilityFlow
from .closed_forms import closed_form
from .frequencies import along_frequencies
from .matrices import along_matrices
from .modes import along_modes
from .solution import Solver


def route(architecture: Architecture) -> Solver:
    """The route that an architecture takes."""
    return {"modes": along_modes, "frequencies": along_frequencies, "matrices": along_matrices}[architecture.route]


def variance_by(recipe: Recipe, *, channels: int = 1) -> str:
    """How `predict` finds the generated variance of a recipe, in words.

    "closed form"; "quadrature", refined to 1e-10; "exact steps", the sampler's own; "matrix steps", the sampler's own or
    sixth-order Magnus steps of the flow, on whole matrices or, for `channels` of a convolution, on one small matrix per
    frequency; "not available".

    ```python
    >>> import eigenclock as ec
    >>> ec.variance_by(ec.Recipe(sampler=ec.Heun()))
    'exact steps'

    ```
    """
    instance("recipe", recipe, Recipe, "a Recipe")
    integer("channels", channels, at_least=1)
    architecture, flow = recipe.architecture, isinstance(recipe.sampler, ProbabilityFlow)
    bounded = recipe.sampler.sigma_min > 0 and recipe.sampler.sigma_max < float("inf")
    if recipe.per_mode and architecture.route != "modes":
        return "not available"
    if architecture.route == "matrices" or (architecture.route == "frequencies" and channels > 1):
        return "matrix steps" if bounded else "not available"
    if not flow:
        return "exact steps"
    try:
        if recipe.sampler.method != "quadrature" and closed_form(recipe) is not None:  # type: ignore[attr-defined]
            return "closed form"
    except InputError:
        return "not available"
    return "quadrature" if bounded else "not available"
