"""A probe under accelerate: the main process looks, its trackers write, the state lies in its checkpoints."""

from typing import Any

from ..checks import InputError, flag, instance
from ..comparison.probe import Probe

PREFIX = "eigenclock/"
"""Before the names of what is logged."""


class AcceleratedProbe:
    """Calls a probe in a loop of accelerate, and logs `probe.scalars()` with every tracker of the accelerator.

    `watch = AcceleratedProbe(accelerator, probe)`, then `watch(step, denoiser)` after every step, in every process: the main one
    looks and logs, the others return at once. Trackers are given the step; W&B, whose steps must rise for all metrics together,
    the step metric "eigenclock/step" of "eigenclock/*" in its place, so that no other metric's step is touched. The probe is
    registered for checkpoints: `accelerator.save_state` and `load_state` keep its records.

    **Parameters**

    - `accelerator`: an `accelerate.Accelerator`, its trackers started (`init_trackers`) before the first step that is logged.
    - `probe`: an `eigenclock.Probe`. - `figure`: also log one figure a record, to trackers whose writer takes figures
      (TensorBoard's).

    InputError for anything else.
    """

    def __init__(self, accelerator: Any, probe: Any, *, figure: bool = False) -> None:
        for name in ("trackers", "is_main_process", "register_for_checkpointing"):
            if not hasattr(accelerator, name):
                raise InputError(f"accelerator must be an accelerate.Accelerator, got {type(accelerator).__name__}")
        instance("probe", probe, Probe, "an eigenclock.Probe")
        self.accelerator, self.probe, self.figure = accelerator, probe, flag("figure", figure)
        self._told = False
        accelerator.register_for_checkpointing(probe)

    def __call__(self, step: int, denoiser: Any, *, module: Any = None) -> None:
        """Probe if a step of the probe's has come, and log what it found."""
        before = self.probe.recorded
        self.probe(step, denoiser, module=module)
        if self.probe.recorded == before or not self.accelerator.is_main_process:
            return
        if not self._told:
            self._tell()
        scalars = self.probe.scalars(PREFIX)
        for tracker in self.accelerator.trackers:
            # W&B's steps must rise for all metrics together: there these have one of their own
            tracker.log(scalars, step=None if tracker.name == "wandb" else step)
            if self.figure and hasattr(getattr(tracker, "writer", None), "add_figure"):
                tracker.writer.add_figure(f"{PREFIX}probe", self.probe.figure(), step)

    def _tell(self) -> None:
        """Tell W&B, where it is among the trackers, which step its metrics have."""
        self._told = True
        for tracker in self.accelerator.trackers:
            if tracker.name == "wandb":
                tracker.tracker.define_metric(f"{PREFIX}*", step_metric=f"{PREFIX}step")
