"""What is trained: methods on networks and data sets, with their seeds."""

from dataclasses import dataclass, replace

from eigenclock.training.network_options import Network
from ...networks import Case, Recipe
from .judging import Judging
from .methods import EDM_ALONE, Method
from .pictures import Pictures


@dataclass(frozen=True)
class Training:
    """How a network is trained and when it is looked at.

    `longer`: EDM alone goes on to these steps, to be overtaken later. `early`: a step of SpectralEDM and a later one of EDM that
    are compared.
    """

    network: Network
    batch_size: int
    steps: tuple[int, ...]
    longer: tuple[int, ...] = ()
    early: tuple[int, int] | None = None
    ema: float = 0.0

    def looks(self, method: Method) -> tuple[int, ...]:
        """Steps at which a method is judged."""
        return self.steps + (self.longer if method.name == EDM_ALONE.name else ())


@dataclass(frozen=True)
class Arm:
    """A method on a network and data set, with the seeds that it is trained with."""

    source: Pictures
    network: str
    training: Training
    method: Method
    seeds: tuple[int, ...]

    def labels(self) -> dict[str, str]:
        """What a table calls it."""
        return {"data": self.source.name, "network": self.network, "method": self.method.title}

    @property
    def looks(self) -> tuple[int, ...]:
        """Steps at which it is judged."""
        return self.training.looks(self.method)

    def judging(self, samples: int, feature_steps: int) -> Judging:
        """How it is judged: by so many samples, in features of a network trained `feature_steps`."""
        return Judging(replace(self.source, whitened=self.method.whitened), self.looks, samples, feature_steps)

    def case(self, judging: Judging) -> Case:
        """Its training, judged along the way."""
        recipe = Recipe(
            network=self.training.network,
            steps=self.looks[-1],
            batch_size=self.training.batch_size,
            optimizer=self.method.optimizer,
            objective=self.method.objective,
            records=(self.looks[-1],),
            probe_samples=64,
            gain_levels=0,
            ema=self.training.ema,
        )
        name = f"cure_{self.source.name}_{self.network}_{self.method.name}"
        return Case(name, judging.source, recipe, looks=(judging,))
