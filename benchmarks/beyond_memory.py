"""Spectra of data on disk: 200,000 × 3,072 against BLAS and LAPACK alone, and what n, d and workers cost.

`python -m benchmarks beyond_memory` writes the table of costs, and what follows for ImageNet, into docs/data.md.
"""

import json
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import scipy.linalg

import eigenclock as ec
from eigenclock.spectrum import largest
from examples import pages
from .measure import Row, _once, seconds

PAGE = Path("docs/data.md")
SAMPLES, COORDINATES, ROWS = 200_000, 3072, 2048
IMAGENET, LATENT, PIXELS, PART, KEPT = 1_281_167, 4096, 256 * 256 * 3, 16, 100
HOURS = 3600


def written(path: Path, n: int, d: int) -> None:
    """Samples of correlated coordinates in float32, as an uncompressed zarr array of blocks of rows."""
    import zarr

    rng = np.random.default_rng(0)
    scale = np.arange(1, d + 1, dtype=np.float32) ** -0.5
    stored = zarr.create_array(path, shape=(n, d), chunks=(ROWS, d), dtype="f4", compressors=None)
    for start in range(0, n, ROWS):
        stored[start : start + ROWS] = scale * rng.standard_normal((min(ROWS, n - start), d), dtype=np.float32)


def read(path: str) -> None:
    """What the fresh process does: the spectrum of the file, its seconds and the most memory it took, in GiB."""
    import zarr

    took = _once(lambda: ec.Spectrum.from_samples(zarr.open_array(path, mode="r")))
    # getrusage counts what the process was before it was this one; VmHWM does not
    status = Path("/proc/self/status")
    peak = (
        next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        if status.exists()
        else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    )
    print(json.dumps({"seconds": took, "memory": peak / 2**20}))


def fresh(path: Path) -> dict[str, float]:
    """`read` in a process of its own."""
    words = f"from benchmarks.beyond_memory import read; read({str(path)!r})"
    done = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def bare(path: Path) -> None:
    """The same matrix product in float32 by BLAS, uncentred, block by block, and its eigenvectors in float64 by LAPACK."""
    import zarr

    stored = zarr.open_array(path, mode="r")
    scatter = np.zeros(stored.shape[1:] * 2, dtype=np.float32, order="F")
    for start in range(0, stored.shape[0], ROWS):
        block = np.asarray(stored[start : start + ROWS])
        scipy.linalg.blas.ssyrk(1.0, block.T, beta=1.0, c=scatter, lower=1, overwrite_c=1)
    scipy.linalg.eigh(scatter.astype(np.float64), driver="evd")


def against_blas() -> Iterator[Row]:
    """Reading, mean, covariance in float64 and modes of 2.3 GiB, against a product in float32 and an eigendecomposition."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.zarr"
        written(path, SAMPLES, COORDINATES)
        runs = [(_once(lambda: bare(path)), fresh(path)) for _ in range(2)]  # by turns: the first may wait for the disk
    peer, ours = min(run[0] for run in runs), min((run[1] for run in runs), key=lambda found: found["seconds"])
    what = f"Spectrum of {SAMPLES:,} × {COORDINATES:,} on disk"
    yield Row(f"{what} / ssyrk and eigh alone", ours["seconds"], peer, "≤ 4", ours["seconds"] <= 4 * peer)
    yield Row(f"{what}: all of its memory in GiB / 1.5 GiB", ours["memory"], 1.5, "≤ 1", ours["memory"] <= 1.5)


def costs() -> Iterator[Row]:
    """Seconds, the least of three, for several n, d and workers, in a table, and what they come to for ImageNet; no rows."""
    lines = ["| n | d | processes | seconds |", "|---:|---:|---:|---:|"]
    rate = {}
    with tempfile.TemporaryDirectory() as folder:
        for n, d in ((25_000, 768), (50_000, 768), (100_000, 768), (25_000, 192), (25_000, 3072)):
            path = Path(folder) / f"{n}_{d}.zarr"
            written(path, n, d)
            took = min(fresh(path)["seconds"] for _ in range(3))
            rate[n, d] = took
            lines.append(f"| {n:,} | {d:,} | this one | {took:.2f} |")
        for workers in (1, 2):
            took = on_cluster(Path(folder) / "100000_768.zarr", workers)
            lines.append(f"| 100,000 | 768 | {workers} of a cluster | {took:.2f} |")
    pages.insert(PAGE, "beyond memory", "\n".join([*lines, "", *extrapolated(rate)]))
    yield from ()


def accuracy() -> Iterator[Row]:
    """How far the largest modes of photographs, by each way past a covariance, fall short of the exact ones; no rows."""
    import dask.array as da

    x = ec.data.natural_patches(32, n=6000, n_test=2).samples.reshape(6000, -1)
    exact = ec.Spectrum.from_samples(x).variance
    ways: dict[str, Callable[[int], largest.Largest]] = {
        "in memory | `sklearn.utils.extmath.randomized_svd`, four power iterations, 2k directions": lambda k: (
            largest.of_memory(x, k, 0)
        ),
        "dask | `dask.array.linalg.svd_compressed`, the same; x is read eleven times": lambda k: largest.of_dask(
            da.from_array(x, chunks=(1000, -1)), k, 0
        ),
        "read once: batches, zarr, HDF5 | `sklearn.decomposition.IncrementalPCA` of 3k directions": lambda k: (
            largest.of_pieces(np.array_split(x, 24), x.shape[1:], k)
        ),
    }
    counts = (20, 50, 100)
    lines = ["| samples | how | " + " | ".join(f"k = {k}" for k in counts) + " |", "|---|---|" + "---:|" * len(counts)]
    for what, way in ways.items():
        short = [float((1 - way(k).variance / exact[:k]).max()) for k in counts]
        lines.append(f"| {what} | " + " | ".join(f"{100 * one:.2g} %" for one in short) + " |")
    lines += ["", "By how much the worst variance falls short, 6,000 photographs of 32×32 pixels (d = 1,024)."]
    pages.insert(PAGE, "largest modes", "\n".join(lines))
    yield from ()


def on_cluster(path: Path, workers: int) -> float:
    """Seconds of a dask array of the file on worker processes of one thread each, which have loaded the library before."""
    import dask.array as da
    import distributed

    with (
        distributed.LocalCluster(
            n_workers=workers, threads_per_worker=1, dashboard_address=None, host="127.0.0.1"
        ) as cluster,
        distributed.Client(cluster),
    ):
        x = da.from_zarr(str(path))
        ec.Spectrum.from_samples(x[: 2 * ROWS * workers])
        return min(_once(lambda: ec.Spectrum.from_samples(x)) for _ in range(3))


def extrapolated(rate: dict[tuple[int, int], float]) -> list[str]:
    """ImageNet's latents and pixels from measured rates: products of d×d a sample, waves an image, the largest modes a batch."""
    rng = np.random.default_rng(0)
    product = (rate[100_000, 768] - rate[25_000, 768]) / 75_000 / 768**2
    square = np.cov(rng.standard_normal((2048, 4096)))
    eigen = _once(lambda: scipy.linalg.eigh(square, driver="evd")) / 2048**3
    images = [rng.standard_normal((32, 256, 256, 3), dtype=np.float32) for _ in range(4)]
    waves = seconds(lambda: ec.Spectrum.from_batches(images, basis="dct"), 3) / 128
    batches = [rng.standard_normal((3 * KEPT, PIXELS // PART), dtype=np.float32) for _ in range(6)]
    two, six = (_once(lambda n=n: ec.Spectrum.from_batches(batches[:n], modes=KEPT)) for n in (2, 6))  # type: ignore[misc]
    each = PART * (six - two) / (4 * 3 * KEPT)
    covariance, modes = IMAGENET * LATENT**2 * product, LATENT**3 * eigen
    held = largest.MEMORY * KEPT * PIXELS * 8 / 2**30
    return [
        f"**ImageNet, n = {IMAGENET:,}, from these rates** (reading and decoding come on top):",
        "",
        f"* Latents 32×32×4, d = {LATENT:,}, exact: n·d²·{product:.2g} s = {covariance / 60:.0f} min for the covariance (rate "
        f"from n = 25,000 to 100,000 above), d³·{eigen:.2g} s = {modes:.0f} s for its modes. Memory: five matrices of "
        f"{8 * LATENT**2 / 2**20:.0f} MiB.",
        f'* Pixels 256×256×3, d = {PIXELS:,}, `basis="dct"`: n·{1000 * waves:.1f} ms = {IMAGENET * waves / HOURS:.1f} h.',
        f"* Pixels by PCA: the covariance would be {8 * PIXELS**2 / 2**40:.2f} TiB. `modes={KEPT}` takes {1000 * each:.0f} ms "
        f"an image ({PART} times what d = {PIXELS // PART:,} takes, as the cost is linear in d), n·{1000 * each:.0f} ms = "
        f"{IMAGENET * each / HOURS:.0f} h, and {held:.1f} GiB. Fewer do: 50,000 images at random take "
        f"{50_000 * each / HOURS:.1f} h, and a variance of them is known to √(2/n) = 0.6 %.",
    ]
