"""A Lightning callback that probes the module in training and logs what it finds."""

from collections.abc import Mapping
from typing import Any

from ..checks import InputError, flag, instance
from ..comparison.probe import Probe

try:
    from lightning.pytorch import Callback, LightningModule, Trainer
except ImportError:
    raise InputError("ProbeCallback needs Lightning: pip install lightning") from None

NAME = "eigenclock"
"""Before the names of what is logged."""


class ProbeCallback(Callback):
    """Probes a `LightningModule` along training, and logs `probe.scalars()` with every logger of the trainer.

    Its state is the probe's: it lies in Lightning's checkpoints, and `trainer.fit(..., ckpt_path=...)` records on where the
    checkpoint stopped. Under several processes the first one looks and logs. It acts after every batch, at the probe's own steps,
    counted as `trainer.global_step`; with several optimizers that counts the steps of all of them.

    **Parameters**

    - `probe`: an `eigenclock.Probe`. - `denoiser`: of the module, module → denoiser(x, sigma); by default `module.denoiser`, an
      attribute or a method. `lambda module: ec.as_denoiser(module.net, scheduler=module.scheduler)` for what predicts noise.
    - `figure`: also log one figure a record, to loggers whose writer takes figures, as TensorBoard's `add_figure` does.
    - `name`: before the names of what is logged; several probes in one trainer (weights, averaged weights) need different ones.

    InputError for a module without a denoiser, or a probe that holds the records of another training.

    ```python
    trainer = lightning.Trainer(callbacks=[ProbeCallback(ec.Probe(spectrum, steps=ec.log_steps(1, 50_000, 60)))])
    ```
    """

    def __init__(self, probe: Any, denoiser: Any = None, *, figure: bool = False, name: str = NAME) -> None:
        super().__init__()
        instance("name", name, str, "a text")
        instance("probe", probe, Probe, "an eigenclock.Probe")
        if denoiser is not None and not callable(denoiser):
            raise InputError(f"denoiser must be a function of the module, got {type(denoiser).__name__}")
        self.probe, self._of, self.figure = probe, denoiser, flag("figure", figure)
        self.name, self._denoiser = name, None

    @property
    def state_key(self) -> str:
        """Under which a checkpoint keeps the records: several probes of one training have different names."""
        return f"{type(self).__name__}{{'name': {self.name!r}}}"

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Look at the untrained model, or at one that goes on."""
        last = max(self.probe.state_dict()["curves"].get("", {}).get("step", [0]))
        if last > trainer.global_step:
            raise InputError(
                f"probe must be new for a new training, got one with records up to step {int(last)}: make another"
            )
        self._denoiser = self._find(pl_module)
        self._look(trainer, pl_module)

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, *_: Any) -> None:
        """Look where a step of the probe's has come."""
        self._look(trainer, pl_module)

    def _find(self, module: Any) -> Any:
        """The denoiser of a module, made once: an adapter may hold state."""
        if self._of is not None:
            return self._of(module)
        found = getattr(module, "denoiser", None)
        if not callable(found):
            raise InputError(
                f"module must have a denoiser(x, sigma), got {type(module).__name__} without: ProbeCallback(probe, denoiser=...)"
            )
        return found

    def _look(self, trainer: Any, module: Any) -> None:
        step, before = trainer.global_step, self.probe.recorded
        self.probe(step, self._denoiser, module=module)
        if self.probe.recorded == before:  # nothing was due, or another process looked
            return
        scalars = self.probe.scalars(f"{self.name}/")
        for logger in trainer.loggers:
            logger.log_metrics(scalars, step=step)
            writer = getattr(logger, "experiment", None)
            if self.figure and writer is not None and hasattr(writer, "add_figure"):
                writer.add_figure(f"{self.name}/probe", self.probe.figure(), step)

    def state_dict(self) -> dict[str, Any]:
        """The probe's records."""
        return self.probe.state_dict()

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over the probe's records of a checkpoint."""
        self.probe.load_state_dict(state_dict)
