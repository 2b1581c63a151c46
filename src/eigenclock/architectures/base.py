"""What an architecture is to the theory: how the network's gain evolves on each mode at each noise level."""

from abc import ABC, abstractmethod

from ..objectives import Regression
from ..optimizers import Hessian, Optimizer, Time, Trajectory


class Architecture(ABC):
    """A linear network whose gain on a mode depends on that mode alone. Subclasses are frozen dataclasses."""

    @abstractmethod
    def network_gain(self, regression: Regression, optimizer: Optimizer, time: Time) -> Trajectory:
        """Network gain f at each training time, of shape (time, mode, sigma)."""

    @abstractmethod
    def stiffness(self, regression: Regression) -> Hessian:
        """Largest second derivative of the loss in the parameters at start or optimum, before the learning rate."""
