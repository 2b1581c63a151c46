"""(d) Runs, studies and fits that are killed, terminated, interrupted, or find the disk full, at random moments."""

import hashlib
import os
import random
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}

RUN = [
    "run", "--data", "digits", "--n", "60", "--steps", "400", "--network.width", "64", "--network.layers", "3", "--probe.count", "6",
    "--probe.samples", "16", "--sampler", "Heun", "--sampler.steps", "6", "--training.device", "cpu", "--training.checkpoint_every", "50",
]  # fmt: skip

FIT = ["score-latent", "fit", "--options.k", "1", "--options.d", "2", "--options.sigma1", "0.05", "--options.stage1_steps", "600", "--options.stage2_steps", "300", "--options.n_evals", "3"]  # fmt: skip

STUDY = ["study", "spectral_bias", "--preset", "tiny", "--part", "width"]

LAST_WORDS = ("report: ", "model: ")
"""A job that has said this has nothing left to do: a signal that comes while Python shuts down ends it as signals do."""

CODES = {signal.SIGINT: (130,), signal.SIGTERM: (143,), signal.SIGKILL: (-9,)}


class Job:
    """A command that can be stopped and gone on with, and what it leaves."""

    def __init__(self, kind: str, folder: Path) -> None:
        self.kind, self.folder = kind, folder
        folder.mkdir(parents=True, exist_ok=True)

    def words(self, name: str, again: bool) -> list[str]:
        out = str(self.folder / name)
        if self.kind == "run":
            return [*RUN, "--out", out] + (
                ["--resume"] if again and (self.folder / name / "config.yaml").exists() else []
            )
        if self.kind == "study":
            return [*STUDY, "--out", out]
        data = self.folder / "circle.npy"
        if not data.exists():
            angle = np.random.default_rng(0).uniform(0, 6.28, 200)
            np.save(data, np.stack([np.cos(angle), np.sin(angle)], axis=1))
        return [*FIT, "--model", f"{out}.safetensors", "--data", str(data), "--folder", out] + (
            ["--resume"] if again else []
        )

    def start(self, name: str, *, again: bool = False, most_bytes: int | None = None) -> subprocess.Popen:
        def limits() -> None:
            if most_bytes is not None:
                resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes))

        return subprocess.Popen(
            [sys.executable, "-m", "eigenclock", *self.words(name, again)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=ENVIRONMENT,
            preexec_fn=limits,
        )

    def result(self, name: str) -> str:
        """A hash of what the numbers of a finished job are."""
        place = self.folder / name
        if self.kind == "run":
            import eigenclock as ec

            return digest(ec.LearningCurve.load(place / "measured.nc").variance.values.tobytes())
        if self.kind == "study":
            return digest((place / "width_claims.csv").read_bytes())
        return digest(Path(f"{place}.safetensors").read_bytes())

    def leftovers(self, name: str) -> list[str]:
        """Temporary files in the job's folder."""
        return [file.name for file in (self.folder / name).rglob(".*") if file.is_file()]


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]


def stopped(tally, job: Job, whole: str, seconds: float, how, seed: int) -> None:
    """Stop a job at a random moment, go on with it, and compare what comes out with the job that was never stopped."""
    chance, name = random.Random(seed), f"{getattr(how, 'name', how)}_{seed}"
    what = f"{job.kind} {name}"
    if how == "full disk":
        process = job.start(name, most_bytes=chance.choice((0, 1000, 20_000, 100_000, 300_000, 1_000_000)))
        _, words = process.communicate(timeout=120)
        fine = process.returncode == 0 or (
            process.returncode == 2 and words.strip().count("\n") <= 3 and "Traceback" not in words
        )
        fault = "" if fine else f"ended with {process.returncode}: {words.strip()[-200:]}"
    else:
        process = job.start(name)
        time.sleep(chance.uniform(0.05, seconds))
        process.send_signal(how)
        out, words = process.communicate(timeout=120)
        done = process.returncode == -how and (out.splitlines() or [""])[-1].startswith(LAST_WORDS)
        fine = (process.returncode in (0, *CODES[how]) or done) and "Traceback" not in words
        early = process.returncode in (-how, 1) and "eigenclock" not in words  # before Python had got to our first line
        fault = "" if fine or early else f"ended with {process.returncode}: {words.strip()[-200:]}"
    if not fault:
        again = job.start(name, again=True)
        _, words = again.communicate(timeout=180)
        if again.returncode != 0:
            fault = f"did not go on: {words.strip()[-200:]}"
        elif job.result(name) != whole:
            fault = "came out with other numbers"
        elif job.leftovers(name):
            fault = f"left {job.leftovers(name)}"
    tally.add(what, "went on", fault)


def all_stops(tally, folder: Path, count: int, kinds=("run", "fit", "study")) -> None:
    """`count` stops of each way, of each kind of job."""
    for kind in kinds:
        job = Job(kind, folder / kind)
        begun = time.monotonic()
        first = job.start("whole")
        _, words = first.communicate(timeout=240)
        seconds = time.monotonic() - begun
        if first.returncode != 0:
            tally.add(f"{kind} whole", "failed", words.strip()[-300:])
            continue
        whole = job.result("whole")
        for seed in range(count):
            for how in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL, "full disk"):
                stopped(tally, job, whole, seconds, how, seed)
