"""Being told to stop: a training step ends whole and a checkpoint is written before Ctrl-C or SIGTERM is obeyed."""

import signal
import threading
from types import FrameType
from typing import Any

EXIT = {signal.SIGINT: 130, signal.SIGTERM: 143}
"""Exit status of a process that a signal ended, as shells count."""


class Interrupted(KeyboardInterrupt):
    """A run was told to stop after `step`, and what `--resume` continues from is on disk if `kept`.

    `exit_code`: of the process, 130 for Ctrl-C and 143 for SIGTERM.
    """

    def __init__(self, number: int, step: int, kept: bool) -> None:
        self.exit_code, self.step, self.kept = EXIT[signal.Signals(number)], step, kept
        word = "terminated" if number == signal.SIGTERM else "interrupted"
        super().__init__(f"{word} at step {step:,}" + ("; --resume continues from there" if kept else ""))


class StopSignals:
    """While it is open SIGINT and SIGTERM are noted in `received` and left to the loop; a second one acts at once, as always.

    Signals reach the main thread only: elsewhere nothing changes.
    """

    def __init__(self) -> None:
        self.received = 0
        self._before: dict[int, Any] = {}

    def __enter__(self) -> "StopSignals":
        if threading.current_thread() is threading.main_thread():
            for number in EXIT:
                before = signal.getsignal(number)
                if (
                    before is not None and before is not signal.SIG_IGN
                ):  # what was not set from Python cannot be put back
                    self._before[number] = before
                    signal.signal(number, self._note)
        return self

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.received:
            self._put_back()
            signal.raise_signal(number)
        self.received = number

    def __exit__(self, kind: object, *_: object) -> None:
        self._put_back()
        if self.received and kind is None:  # it came after the last step was looked at
            signal.raise_signal(self.received)

    def _put_back(self) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)
        self._before = {}

    def stop(self, step: int, kept: bool) -> None:
        """Raise Interrupted if a signal has come."""
        if self.received:
            raise Interrupted(self.received, step, kept)
