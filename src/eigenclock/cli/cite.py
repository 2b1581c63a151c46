"""`eigenclock cite`: BibTeX of exactly the methods that a recipe uses."""

from dataclasses import dataclass

from ..jobs.config import DEFAULT_ARCHITECTURE, TheoryOptions
from ..recipe.optimizers import GradientFlow
from ..recipe.recipe import Recipe
from ..report.citation import citations
from .call import Call


@dataclass(frozen=True, kw_only=True)
class CiteConfig(TheoryOptions):
    """BibTeX of exactly the methods that a recipe uses."""


def command(config: CiteConfig, _: Call) -> None:
    """Print the entries."""
    recipe = Recipe(
        config.objective,
        config.architecture or DEFAULT_ARCHITECTURE,
        config.optimizer or GradientFlow(),
        config.sampler,
    )
    print("\n\n".join(citations(recipe)))
