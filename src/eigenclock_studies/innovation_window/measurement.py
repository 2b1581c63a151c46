"""One case, one seed: train, and read rule and copies off the samples at every checkpoint."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import xarray as xr
from jaxtyping import Int

from eigenclock.checks import InputError
from eigenclock.comparison.probe import Probe
from eigenclock.exact.ledger import LEDGER_EDM
from eigenclock.exact.rules import NoRule, Rule
from eigenclock.observables.innovation import innovation
from eigenclock.recipe.samplers import Heun
from eigenclock.spectrum.spectrum import Spectrum
from eigenclock.training.devices import device_of, find_device
from eigenclock.training.loop import train as fit
from eigenclock.training.optimizers import Adam
from eigenclock.training.options import LoopOptions
from eigenclock.training.streams import RandomPairs, Stream, WithReplacement, stream_seed
from .basins import Basins
from .cases import Case
from .gpt import GPT, generate, likelihood, sampling_seed, train_tokens

SAMPLER = Heun(steps=14, sigma_min=0.05, sigma_max=10.0)
"""27 evaluations from σ = 10 to 0.05, then one step to 0."""


def streams(seed: int) -> dict[str, np.random.Generator]:
    """Independent random streams of a seed: what evaluation draws cannot change training."""
    names = ("data", "control", "batches", "evaluation")
    parts = np.random.SeedSequence(seed).spawn(len(names))
    return {name: np.random.default_rng(part) for name, part in zip(names, parts, strict=True)}


def checkpoints(case: Case) -> Int[np.ndarray, " checkpoint"]:
    """Step 0 and log-spaced steps up to the horizon."""
    return np.unique(np.r_[0, np.round(np.geomspace(case.first, case.steps, case.checkpoints)).astype(int)])


def scored(bits: Any, case: Case, train: Any, control: Any) -> dict[str, float]:
    """What one checkpoint's samples show: clocks' observables and the counts behind them (section 4 of the specification)."""
    judge, n = case.judge, len(train)
    ruled = not isinstance(case.rule, NoRule)
    chance = (judge.size - n) / (2.0**judge.D - n) if ruled else judge.chance_sample
    support = case.rule.size
    found = innovation(bits, train, judge.valid, chance=chance, control=control, support=support)
    groups, novel = judge.group_valid(bits), ~found.is_copy
    share = groups[novel].mean() if found.novel >= 32 else np.nan
    expected = (found.valid.value if ruled else 1.0) * n / support
    assert found.control_copies is not None
    assert found.far_rule is not None
    return {
        "V": found.valid.value,
        "M": found.copies.value,
        "I": found.innovations.value,
        "Q": found.novel_valid.value,
        "q": found.rule.value,
        "q_far": found.far_rule.value,
        "a": (share - judge.chance_group) / (1 - judge.chance_group) if judge.chance_group < 1 else np.nan,
        "n_novel": float(found.novel),
        "M_ctrl": found.control_copies.value,
        "M_ex": (found.copies.value - expected) / (1 - expected),
        "chance": chance,
        "expected": expected,
    }


@dataclass(frozen=True, eq=False)
class FreshPairs(RandomPairs):
    """New valid samples at every step: nothing can be memorised."""

    rule: Rule

    def clean(self, step: int) -> torch.Tensor:
        """Clean samples of a step."""
        rng = np.random.default_rng([self.seed, int(Stream.DATA), step])
        bits = self.rule.encode(self.rule.sample(self.batch_size, rng))
        return torch.as_tensor(bits).to(self.samples).reshape(-1, *self.samples.shape[1:])


def measure(case: Case, seed: int) -> xr.Dataset:
    """Train a case and return its checkpoints: dims checkpoint, and corner class and sigma for basins."""
    random = streams(seed)
    train, control = case.rule.split(case.N, random["data"], allow_chance=case.allow_chance)
    if isinstance(case.model, GPT):
        return _tokens(case, seed, train, control, random)
    return _denoiser(case, seed, train, control, random)


def _as_dataset(records: dict[int, dict[str, float]], status: str) -> xr.Dataset:
    steps = sorted(records)
    names = dict.fromkeys(name for step in steps for name in records[step])
    columns = {name: ("checkpoint", [records[step].get(name, np.nan) for step in steps]) for name in names}
    return xr.Dataset({"step": ("checkpoint", np.array(steps, dtype=float)), **columns}, attrs={"status": status})


def _denoiser(case: Case, seed: int, train: Any, control: Any, random: dict[str, Any]) -> xr.Dataset:
    assert not isinstance(case.model, GPT)
    d = case.rule.D
    encoded = case.rule.encode(train)
    tensor = torch.as_tensor(encoded, dtype=torch.float32, device=find_device("auto"))
    pairs: RandomPairs = WithReplacement(tensor, case.batch, LEDGER_EDM.density, (0.002, 80.0), seed)
    if case.fresh:
        pairs = FreshPairs(tensor, case.batch, LEDGER_EDM.density, (0.002, 80.0), seed, case.rule)
    watch = {"seen": lambda samples: scored(case.rule.decode(samples), case, train, control)}
    inspect = {}
    if case.basins:
        basins = Basins(case.judge, train, control, random["evaluation"])

        def measured_basins(denoiser: Any) -> dict[str, float]:
            place = device_of(denoiser)
            return basins(lambda y, sigma: denoiser(y.to(place), sigma).cpu())

        inspect = {"basin": measured_basins}
    probe = Probe(
        Spectrum(np.ones(d)),
        sampler=SAMPLER,
        steps=checkpoints(case)[1:],
        n_samples=case.samples,
        seed=seed,
        sigma=(),
        keep_samples=0,
        watch=watch,
        inspect=inspect,
    )
    network = case.model.build((d,), seed=stream_seed(seed, Stream.INIT))
    status = "done"
    try:
        fit(
            network,
            encoded,
            objective=LEDGER_EDM,
            optimizer=Adam(case.lr),
            steps=case.steps,
            options=LoopOptions(batch_size=case.batch),
            probe=probe,
            seed=seed,
            pairs=pairs,
        )
    except InputError as error:
        if "training stopped at step" not in str(error):
            raise
        status = "diverged"
    measured = probe.curve().dataset
    records = {
        int(step): {
            str(name).removeprefix("seen_"): float(measured[name].values[i])
            for name in measured.data_vars
            if str(name).startswith(("seen_", "basin_"))
        }
        for i, step in enumerate(measured["time"].values)
    }
    return _as_dataset(records, status)


def _tokens(case: Case, seed: int, train: Any, control: Any, random: dict[str, Any]) -> xr.Dataset:
    assert isinstance(case.model, GPT)
    model = case.model.build(case.rule.D, seed=stream_seed(seed, Stream.INIT)).to(find_device("auto"))
    records: dict[int, dict[str, float]] = {}
    closing = (np.arange(case.rule.D) + 1) % getattr(case.rule, "G", case.rule.D) == 0

    def look(step: int, model: Any) -> None:
        bits = generate(model, case.samples, seed=sampling_seed(seed, step))
        seen = likelihood(model, control)
        records[step] = scored(bits, case, train, control) | {
            "nll_train": float(likelihood(model, train).sum()),
            "nll_closing": float(seen[closing].mean()),
            "nll_open": float(seen[~closing].mean()),
        }

    def batches(step: int) -> Any:
        return train[random["batches"].integers(0, len(train), case.batch)]

    status = "done"
    for _, loss in train_tokens(model, batches, steps=case.steps, lr=case.lr, watch=checkpoints(case), look=look):
        if not np.isfinite(loss):
            status = "diverged"
            break
    return _as_dataset(records, status)
