"""A case for every setting and seed: on the cores there are, each finished one on disk before the next starts."""

import hashlib
import multiprocessing
import os
import signal
import time as clock
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, ProcessPoolExecutor, wait
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xarray as xr

from eigenclock.checks import InputError, integer, number, random_seed
from eigenclock.files import read_netcdf, write_netcdf

Case = Callable[[Any, int], xr.Dataset]
"""case(setting, seed) → what was measured. A function of a module, so that other processes can call it."""

Key = tuple[str, int]


@dataclass(frozen=True, eq=False)
class Sweep:
    """What a sweep found: `results` by (name, seed), the keys `dropped` for lack of time, and `seconds` of each case."""

    results: dict[Key, xr.Dataset]
    dropped: tuple[Key, ...]
    seconds: dict[Key, float]

    def seeds_of(self, name: str) -> list[xr.Dataset]:
        """Results of one setting, in the order of its seeds."""
        return [result for (other, _), result in sorted(self.results.items()) if other == name]


def sweep(
    case: Case,
    settings: Mapping[str, Any],
    *,
    seeds: Sequence[int],
    folder: str | Path,
    workers: int | None = None,
    executor: Executor | None = None,
    limit_seconds: float | None = None,
    say: Callable[[str], None] = lambda words: None,
) -> Sweep:
    """Run `case(setting, seed)` for every setting and seed; those in the folder already, of the same setting, are only read.

    A script that calls it with several workers needs `if __name__ == "__main__":`, as for every pool of processes. What a case
    does is not part of what is compared: after a change of its code take another folder.

    **Parameters**

    - `case`: function of a module; what it returns is kept as NetCDF. - `settings`: by name, values with a faithful `repr`
      (frozen dataclasses). All seeds of the first setting come first.
    - `folder`: of the results. - `workers`: processes with one thread each; default as many as cores; 1 runs here.
    - `executor`: runs the cases in place of processes of this machine, all of them submitted at once unless `workers` says
      how many: any `concurrent.futures` executor, such as `dask.distributed`'s `client.get_executor()` (extra `cluster`),
      whose workers reach the same folder.
    - `limit_seconds`: no new case starts after this time: what was not started is `dropped`, never half done.
    - `say`: told how far it is.

    An exception in a case stops the sweep; what is finished stays.

    ```python
    >>> import tempfile
    >>> import xarray as xr
    >>> from eigenclock_studies.sweep import sweep
    >>> def case(power, seed):
    ...     return xr.Dataset({"value": float(seed**power)})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     found = sweep(case, {"square": 2, "cube": 3}, seeds=(2, 3), folder=folder, workers=1)
    >>> [float(one["value"]) for one in found.seeds_of("cube")]
    [8.0, 27.0]

    ```
    """
    if not settings or not seeds:
        raise InputError("settings and seeds must not be empty")
    if len(set(seeds)) < len(seeds):
        raise InputError(f"seeds must be different, got {tuple(seeds)}")
    for seed in seeds:
        random_seed(seed, "seeds")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    count = (cores if executor is None else len(settings) * len(seeds)) if workers is None else workers
    integer("workers", count, at_least=1)
    if limit_seconds is not None:
        number("limit_seconds", limit_seconds, above=0)
    for name, setting in settings.items():
        if "..." in repr(setting) or " at 0x" in repr(setting):
            raise InputError(
                f"settings[{name!r}] must have a faithful repr, got {type(setting).__name__}: give a frozen dataclass"
            )
    place, begun = Path(folder).resolve(), clock.perf_counter()
    every = [(name, seed) for name in settings for seed in seeds]
    results = {key: old for key in every if (old := _read(_file(place, key), settings[key[0]])) is not None}
    open_keys = [key for key in every if key not in results]
    say(f"{len(results)} of {len(every)} done")

    def late() -> bool:
        return limit_seconds is not None and clock.perf_counter() - begun > limit_seconds

    def done(key: Key, found: xr.Dataset) -> None:
        results[key] = found
        say(f"{len(results)} of {len(every)} done, last {key[0]} seed {key[1]}")

    if executor is None and (count == 1 or len(open_keys) < 2):
        while open_keys and not late():
            key = open_keys.pop(0)
            done(key, _one(case, settings[key[0]], key, place))
    else:
        fresh, size = multiprocessing.get_context("spawn"), min(count, len(open_keys))
        with nullcontext(executor) if executor is not None else ProcessPoolExecutor(size, fresh, _one_thread) as pool:
            running: dict[Future[xr.Dataset], Key] = {}
            try:
                while running or (open_keys and not late()):
                    while open_keys and len(running) < count and not late():
                        key = open_keys.pop(0)
                        running[pool.submit(_one, case, settings[key[0]], key, place)] = key
                    for future in wait(running, return_when=FIRST_COMPLETED).done:
                        done(running.pop(future), future.result())
            except KeyboardInterrupt:  # what is finished is on disk; what is not is not waited for
                for future in running:
                    future.cancel()
                running.clear()
                for process in multiprocessing.active_children() if executor is None else ():
                    process.kill()
                raise
            except BrokenExecutor:
                raise InputError(
                    "workers stopped: a script that sweeps needs if __name__ == '__main__', and a case that fits memory"
                ) from None
            finally:  # after an error: an executor of somebody else's does not end with this block
                wait([future for future in running if not future.cancel()])
    seconds = {key: float(found.attrs["seconds"]) for key, found in results.items()}
    return Sweep({key: results[key] for key in every if key in results}, tuple(open_keys), seconds)


def _one_thread() -> None:
    """A worker has one core: more threads than cores slow each other down; Ctrl-C is for the process that sweeps."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    from importlib.util import find_spec

    if find_spec("torch") is not None:
        import torch

        torch.set_num_threads(1)
    if find_spec("threadpoolctl") is not None:
        import threadpoolctl

        threadpoolctl.threadpool_limits(1)


def _one(case: Case, setting: Any, key: Key, folder: Path) -> xr.Dataset:
    begun = clock.perf_counter()
    found = case(setting, key[1])
    if not isinstance(found, xr.Dataset):
        raise InputError(f"case must return an xarray Dataset, got {type(found).__name__}")
    kept = found.assign_attrs(setting=repr(setting), seed=key[1], seconds=clock.perf_counter() - begun)
    write_netcdf(_file(folder, key), kept)
    return kept


def _file(folder: Path, key: Key) -> Path:
    """Named after the case where a file can be, and always after a hash, as two names may clean to one."""
    name, seed = key
    clean = "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in name)
    return folder / f"{clean}_{hashlib.sha256(name.encode()).hexdigest()[:6]}_seed{seed}.nc"


def _read(file: Path, setting: Any) -> xr.Dataset | None:
    """A finished case of this setting; None if there is none, or it was another setting's."""
    if not file.exists():
        return None
    try:
        found = read_netcdf(file, "result")
    except InputError:  # not a whole file: done again
        return None
    return found if found.attrs.get("setting") == repr(setting) else None
