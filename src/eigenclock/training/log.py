"""The metrics stream of a run: a JSON line per record, and TensorBoard events where asked for."""

import json
import math
from pathlib import Path
from typing import Any

from ..checks import InputError
from ..files import append_text, read_text, write_text
from .options import STREAM

EVENTS = "tensorboard"


class Metrics:
    """Appends records to `folder`/metrics.jsonl; lines after `last_step` of an interrupted run are taken away first.

    **Parameters**

    - `folder`: of the run, or None to keep the records in memory only.
    - `last_step`: of the checkpoint that training goes on from.
    - `tensorboard`: also write event files to `folder`/tensorboard.
    """

    def __init__(self, folder: Path | None, *, last_step: int, tensorboard: bool) -> None:
        self.records: list[dict[str, Any]] = []
        self._file = None if folder is None else folder / STREAM
        self._writer: Any = None
        if self._file is not None and folder is not None:
            self.records = [] if last_step == 0 else [r for r in read_metrics(self._file) if r["step"] <= last_step]
            write_text(self._file, "".join(json.dumps(record) + "\n" for record in self.records))
        if tensorboard and folder is not None:
            try:
                from torch.utils.tensorboard import SummaryWriter
            except ImportError:
                raise InputError("tensorboard event files need TensorBoard: pip install tensorboard") from None
            self._writer = SummaryWriter(str(folder / EVENTS), purge_step=last_step + 1)

    def write(self, record: dict[str, Any]) -> None:
        """Append a record, which has a "step"; values that are not finite become null."""
        clean = {
            key: value if not isinstance(value, float) or math.isfinite(value) else None
            for key, value in record.items()
        }
        self.records.append(clean)
        if self._file is not None:
            append_text(self._file, json.dumps(clean) + "\n")
        if self._writer is not None:
            for key, value in clean.items():
                if key != "step" and value is not None:
                    self._writer.add_scalar(key, value, clean["step"])

    def close(self) -> None:
        """Write out what is buffered."""
        if self._writer is not None:
            self._writer.close()


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """Whole lines of a metrics stream; a last line cut short by a kill is left out."""
    if not path.exists():
        return []
    records = []
    for line in read_text(path, "metrics").splitlines():
        try:
            record = json.loads(line)
        except ValueError:
            break
        if not isinstance(record, dict) or not isinstance(record.get("step"), int):
            break
        records.append(record)
    return records
