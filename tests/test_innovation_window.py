"""The innovation window: metrics, trajectories with known clocks, models, the study at its smallest."""

from dataclasses import replace

import numpy as np
import pytest
import torch
import xarray as xr

import eigenclock as ec
from eigenclock.exact import LEDGER_EDM, factorised
from eigenclock.training.losses import coefficients
from eigenclock.training.sampling import sample
from eigenclock_studies import run_study
from eigenclock_studies.innovation_window import InnovationConfig, InnovationWindow, Runs, View, calibrate, measure, run
from eigenclock_studies.innovation_window.answers import above, every
from eigenclock_studies.innovation_window.basins import LEVELS, Basins
from eigenclock_studies.innovation_window.cases import CALIBRATION_SEED, Case, parity
from eigenclock_studies.innovation_window.claims import CLAIMS, needed
from eigenclock_studies.innovation_window.clocks import assemble, opening, summary_table
from eigenclock_studies.innovation_window.figures import reference_rates
from eigenclock_studies.innovation_window.forecast import fit
from eigenclock_studies.innovation_window.gpt import GPT, generate, likelihood, train_tokens
from eigenclock_studies.innovation_window.measurement import SAMPLER, scored
from eigenclock_studies.innovation_window.verdicts import target_table, verdicts

RULE = ec.GroupParity(24, 4)
STEPS = np.unique(np.round(np.geomspace(20, 20_000, 25)))


def case_of(n):
    return Case(RULE, n, ec.FeedForward(8, 1), 20_000, RULE)


def oracle(n, rule_at, memory_at, seed, samples=512):
    """Samples without training: copies with probability mu(step), rule samples with rho(step), uniform bits otherwise."""
    rng = np.random.default_rng([seed, n])
    train, control = RULE.split(n, rng)
    case, records = case_of(n), []
    for step in STEPS:
        mu = 0.9 / (1 + (memory_at / step) ** 2)
        rho = (1 - mu) * 0.9 / (1 + (rule_at / step) ** 2)
        kind = rng.choice(3, samples, p=[mu, rho, 1 - mu - rho])
        bits = rng.integers(0, 2, (samples, 24))
        bits[kind == 0] = train[rng.integers(0, n, (kind == 0).sum())]
        bits[kind == 1] = RULE.sample(int((kind == 1).sum()), rng)
        records.append(scored(bits, case, train, control))
    columns = {name: ("checkpoint", [one[name] for one in records]) for name in records[0]}
    return xr.Dataset({"step": ("checkpoint", STEPS), **columns}, attrs={"status": "done"})


def passage(middle, top, level):
    """Where top/(1 + (middle/step)²) passes a level."""
    return middle / np.sqrt(top / level - 1)


@pytest.mark.parametrize(
    ("rule_at", "memory_at", "state"), [(200, 4000, "open"), (6000, 300, "closed"), (1e7, 1e7, "undetermined")]
)
def test_known_clocks_are_read_back(rule_at, memory_at, state):
    runs = Runs(assemble({("x", seed): oracle(256, rule_at, memory_at, seed) for seed in range(3)}))
    if state == "open":
        # novel samples are a rule sample with probability rho/(1 − mu): 0.9/(1 + (rule_at/step)²) of them are valid for the rule
        assert runs.rule("x").geometric_mean == pytest.approx(passage(rule_at, 0.9, 0.1), rel=0.1)
        assert runs.rule("x", View(rule=0.5)).geometric_mean == pytest.approx(passage(rule_at, 0.9, 0.5), rel=0.1)
    if state != "undetermined":
        assert runs.memory("x").geometric_mean == pytest.approx(passage(memory_at, 0.9, 0.1), rel=0.1)
        low, high = runs.counting("x", "memory", 0)
        assert low < passage(memory_at, 0.9, 0.1) < high
    assert opening(runs.window("x")) == state
    assert summary_table(runs)["window"][0] == state


def test_a_pure_copier_never_learns_the_rule():
    """Copies are valid: a clock of plain validity would be fooled."""
    runs = Runs(assemble({("x", seed): oracle(256, 1e9, 100, seed) for seed in range(3)}))
    assert runs.rule("x").status == ["right-censored"] * 3
    assert runs.memory("x").hit.all()
    assert opening(runs.window("x")) == "closed"
    assert runs.passages("x", "V", 0.5).hit.all()


def test_chance_and_controls_in_the_metrics():
    rng = np.random.default_rng(0)
    train, control = RULE.split(512, rng)
    found = scored(RULE.sample(4096, rng), case_of(512), train, control)
    error = 3 * np.sqrt(found["expected"] / 4096)
    assert found["q"] == 1
    assert abs(found["M_ex"]) < error
    assert abs(found["M_ctrl"] - found["expected"]) < error
    held = scored(control, case_of(512), train, control)
    assert held["M"] == 0
    assert held["M_ctrl"] == 1
    nothing = scored(rng.integers(0, 2, (4096, 24)), case_of(512), train, control)
    assert abs(nothing["q"]) < 3 * np.sqrt(1 / 64 / 4096)
    assert abs(nothing["a"]) < 3 * np.sqrt(1 / 6 / 4096)
    ruleless = replace(case_of(512), rule=ec.NoRule(24))
    free = scored(rng.integers(0, 2, (4096, 24)), ruleless, rng.integers(0, 2, (512, 24)), control)
    assert abs(free["q"]) < 3 * np.sqrt(1 / 64 / 4096)
    assert free["expected"] == 512 / 2**24


def test_a_diverged_case_is_unknown_not_censored():
    broken = oracle(256, 1e9, 1e9, 0).assign_attrs(status="diverged")
    runs = Runs(assemble({("x", 0): broken, ("x", 1): oracle(256, 200, 4000, 1)}))
    assert runs.rule("x").status == ["unknown", "hit"]
    assert opening(runs.window("x")) == "mixed"


@pytest.fixture(scope="module")
def designed():
    """Every case of the study from known clocks: the rule clock falls with N and rises with G, memory = 8 N."""
    config = replace(InnovationConfig(), basins=False, other_rules=False, held_out=(), widths=(64, 128, 256))
    rule_at = {3: 60.0, 4: 900.0, 6: 1e9}
    results = {}
    for name, case in config.cases().items():
        for seed in range(3):
            late = 8.0 * case.N * (1 + 0.05 * seed)
            first = rule_at[getattr(case.rule, "G", 6)] if "gpt" not in name else 300.0
            if name == "fresh data":
                late = 1e9
            if name in ("affine", "no rule"):
                first = 1e9
            if name.startswith("width"):
                first, late = 40_000.0 / case.model.width, 1e9
            # passages are at the tenth of the logistic: shift the middles so that the clocks are the times above
            found = oracle(case.N, first * np.sqrt(8), late * np.sqrt(8), seed, 256)
            results[name, seed] = found.assign(nll_open=("checkpoint", np.full(STEPS.size, 0.7)))
    return config, Runs(assemble(results))


def test_verdicts_on_designed_runs(designed):
    config, runs = designed
    found = {row["claim"][:2]: row for row in verdicts(runs, config)}
    for claim in ("C1", "C2", "C3", "C4", "C5"):
        assert found[claim]["verdict"] == "shown", found[claim]
    assert found["C7"]["verdict"] == "not assessed"
    table = target_table(runs, config)
    assert set(table["claim"]) == set(CLAIMS) - {"C7"}
    forecast = next(row for row in verdicts(runs, config) if row["claim"].startswith("forecast: memory"))
    assert forecast["verdict"] == "shown"
    for row in found.values():
        assert list(row) == ["claim", "paper", "here", "interval", "control", "verdict"]


def test_a_failing_control_leaves_a_claim_undetermined(designed):
    config, runs = designed
    leaky = runs.dataset.copy(deep=True)
    leaky["M_ctrl"][:] = 0.2
    leaky["q"].loc[{"case": "no rule"}] = 0.5
    found = {row["claim"][:2]: row["verdict"] for row in verdicts(Runs(leaky), config)}
    assert found["C1"] == found["C4"] == "undetermined (a control failed)"


def test_a_law_that_is_not_there_is_not_shown(designed):
    config, runs = designed
    flat = runs.dataset.copy(deep=True)
    same = flat["M_ex"].sel(case=parity(4, 128)).values
    for n in config.sizes:
        flat["M_ex"].loc[{"case": parity(4, n)}] = same
    found = {row["claim"][:2]: row["verdict"] for row in verdicts(Runs(flat), config)}
    assert found["C4"] == "not shown"


def test_answers():
    assert above([1.0, 1.1, 1.2], [1.0, 1.1, 1.2], 0.5) is True
    assert above([1.0, 1.1, 1.2], [1.0, 1.1, 1.2], 2.0) is False
    assert above([0.0, 1.0, 2.0], [0.0, 1.0, 2.0], 0.5) is None
    assert above([1.0, 1.1], [np.inf, np.inf], 0.0, mean=2.0) is None
    assert every(np.array([True, True]), np.array([False, False])) is True
    assert every(np.array([True, False]), np.array([False, True])) is False
    assert every(np.array([True, False]), np.array([False, False])) is None


def test_forecast_is_frozen_and_has_the_right_interval():
    times = [np.array([640.0, 700.0]), np.array([1280.0, 1500.0])]
    found = fit((64, 128), times)
    logs = np.log([10, 700 / 64, 10, 1500 / 128])
    assert found.c == pytest.approx(np.exp(logs.mean()))
    assert found.time(512) == pytest.approx(512 * found.c)
    low, high = found.interval(512)
    reach = 3.182446 * logs.std(ddof=1) * np.sqrt(1 + 1 / 4)
    assert np.log(high / low) == pytest.approx(2 * reach, rel=1e-6)
    with pytest.raises(ec.InputError, match="a forecast needs at least two memory clocks that were reached"):
        fit((64,), [np.array([np.nan])])


def test_basins_of_exact_denoisers():
    rates = reference_rates(RULE, 256, 0)
    normal = 0.5 * (1 + torch.erf(torch.tensor([1 / s / np.sqrt(2) for s in LEVELS]))).numpy()
    # factorised: every bit keeps its sign with probability Φ(1/σ), for every class; 512 draws
    assert rates["no rule"] == pytest.approx(np.tile(normal**24, (4, 1)), abs=0.07)
    assert rates["the rule"][1] == pytest.approx([1.0, 1.0, 0.92, 0.75, 0.35, 0.15], abs=0.07)
    assert rates["the rule"][2].max() < 0.02
    assert rates["the training set"][0] == pytest.approx([1, 1, 1, 1, 0.98, 0.93], abs=0.07)
    assert rates["the training set"][1:].max() < 0.02


@pytest.mark.parametrize("knows", ["nothing", "rule", "training set"])
def test_sampler_on_exact_denoisers(knows):
    from eigenclock.exact import empirical_denoiser, parity_denoiser

    rng = np.random.default_rng(0)
    train, _ = RULE.split(256, rng)
    exact = {
        "nothing": factorised,
        "rule": lambda y, s: parity_denoiser(y, s, RULE),
        "training set": lambda y, s: empirical_denoiser(y, s, RULE.encode(train)),
    }[knows]
    noise = torch.randn(1024, 24, generator=torch.Generator().manual_seed(0))
    ends = sample(lambda y, s: torch.as_tensor(exact(y.double().numpy(), float(s)), dtype=y.dtype), SAMPLER, noise)
    bits = RULE.decode(ends.numpy())
    seen = ec.innovation(bits, train, RULE.valid)
    expected = {"nothing": (1 / 64, 0), "rule": (1, 0.001), "training set": (1, 1)}[knows]
    assert (seen.valid.value, seen.copies.value) == pytest.approx(expected, abs=0.02)


def test_preconditioning_weights_are_one():
    sigma = np.geomspace(0.01, 10, 9)
    row = LEDGER_EDM.row(sigma)
    assert LEDGER_EDM.loss_weight(sigma) == pytest.approx(np.ones(9))
    assert row.c == pytest.approx((1 - 1 / (sigma**2 + 1)) / (sigma / np.sqrt(sigma**2 + 1)))
    assert coefficients(LEDGER_EDM, sigma).shape == (6, 9)


def test_gpt_is_causal_and_learns():
    model = GPT(16, 1, 2).build(8, seed=0)
    bits = torch.randint(0, 2, (4, 8), generator=torch.Generator().manual_seed(0))
    before = model(bits)
    for j in range(8):
        other = bits.clone()
        other[:, j] = 1 - other[:, j]
        changed = (model(other) - before).abs().amax(dim=(0, 2)) > 1e-7
        assert not changed[: j + 1].any()
        assert changed[j + 1 :].all() or j == 7
    few = np.array([[0, 1, 1, 0, 1, 0, 0, 1], [1, 1, 0, 0, 0, 1, 1, 0]])
    for _ in train_tokens(model, lambda step: few, steps=200, lr=1e-2, watch=[200], look=lambda step, model: None):
        pass
    drawn = generate(model, 256, seed=0)
    assert ec.copies.found_in(drawn, few).mean() > 0.95
    assert (generate(model, 16, seed=1) == generate(model, 16, seed=1)).all()
    nll = likelihood(model, few)
    assert nll[0] == pytest.approx(np.log(2), abs=0.05)
    assert nll[1:].sum() < 0.2


def test_a_network_that_overfits_four_samples():
    case = replace(
        InnovationConfig.preset("tiny").cases()["G=3 N=16"], N=4, steps=1500, checkpoints=4, lr=3e-3, basins=False
    )
    case = replace(case, model=ec.FeedForward(64, 2))
    assert float(measure(case, 0)["M"][-1]) > 0.9


def test_evaluation_does_not_change_training():
    case = replace(InnovationConfig.preset("tiny").cases()["gpt N=16"], steps=40)
    few, many = measure(case, 0), measure(replace(case, samples=256), 0)
    assert (few["nll_train"] == many["nll_train"]).all()
    again = measure(case, 0)
    assert again.equals(few)
    assert not measure(case, 1).equals(few)


def test_study_at_its_smallest(tmp_path):
    result = run_study("innovation_window", preset="tiny", out=tmp_path)
    assert set(result.claims["verdict"]) == {"not assessed"}
    page = (tmp_path / "report.html").read_text()
    assert "reconstruction" in page
    assert page.count("<img ") == len(list(tmp_path.glob("*.png"))) == 7
    kept = xr.load_dataset(tmp_path / "window.nc", engine="h5netcdf")
    assert (kept.attrs["status"], kept.attrs["source"]) == ("reconstruction", "arXiv:2605.10019")
    again = run(InnovationConfig.preset("tiny"), folder=tmp_path)  # only read
    assert again.drop_vars("status").equals(kept.drop_vars("status"))
    assert {"V", "M", "I", "Q", "q", "q_far", "a", "n_novel", "M_ctrl", "M_ex", "r"} <= set(kept.data_vars)
    assert {"gpt N=16", "dit N=16"} <= set(kept["case"].values.tolist())


def test_blocks_without_time_are_recorded(tmp_path):
    config = replace(
        InnovationConfig.preset("tiny"), max_minutes=1e-9, widths=(), basins=False, dit_sizes=(), gpt_sizes=(16,)
    )
    with pytest.raises(ValueError, match="max"):
        run(config, folder=tmp_path)  # nothing ran at all
    config = replace(config, max_minutes=1e-2)
    found = run(config, folder=tmp_path)
    assert set(found.attrs["blocks_dropped"].split(", ")) | set(found["case"].values.tolist()) >= set(config.cases())


def test_presets():
    for name in ("tiny", "cpu", "paper"):
        config = InnovationWindow.preset(name).window
        cases = config.cases()
        assert set(needed(config)["C1"]) <= set(cases)
        assert len(config.seeds) in (1, 3, 5)
    assert list(InnovationConfig().cases())[-1].startswith("Permutation")  # dropped first


def test_calibration_uses_a_seed_that_is_never_reported():
    config = replace(InnovationConfig.preset("tiny"), least_steps=60, token_steps=40)
    found = calibrate(config, steps=300)
    assert found.seeds == config.seeds
    assert found.kappa >= 1
    with pytest.raises(ec.InputError, match=f"seeds must not hold {CALIBRATION_SEED}"):
        replace(config, seeds=(CALIBRATION_SEED,))


def test_basins_are_measured_at_every_third_call():
    rng = np.random.default_rng(0)
    train, control = RULE.split(64, rng)
    basins = Basins(RULE, train, control, rng, every=3)
    none = lambda y, sigma: torch.tanh(y / float(sigma) ** 2)  # noqa: E731
    found = [basins(none) for _ in range(4)]
    assert found[1] == found[2] == {}
    assert found[0] == found[3]
    assert abs(found[0]["E_R"]) < 0.05


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seeds": ()}, r"seeds must be different whole numbers >= 0, got \(\)"),
        ({"seeds": (1, 1)}, r"seeds must be different whole numbers >= 0, got \(1, 1\)"),
        ({"seeds": (-1,)}, "seeds must be different whole numbers >= 0"),
        ({"held_out": (64,)}, "held_out must not hold sizes that the forecast is fitted on, got 64 in both"),
        ({"max_minutes": 0}, "max_minutes must be a finite number > 0, got 0"),
        ({"open_at": 300}, "complexities must hold G, and sizes must hold compare_at and open_at"),
        ({"kappa": -1.0}, "kappa must be a finite number > 0"),
    ],
)
def test_bad_configs(change, message):
    with pytest.raises(ec.InputError, match=message):
        replace(InnovationConfig(), **change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"N": 0}, "N must be a whole number >= 1, got 0"),
        ({"samples": 31}, "samples must be a whole number >= 32, got 31"),
        ({"batch": 0}, "batch must be a whole number >= 1, got 0"),
        ({"checkpoints": 3}, "checkpoints must be a whole number >= 4, got 3"),
        ({"lr": 0.0}, "lr must be a finite number > 0, got 0.0"),
        ({"judge": ec.GroupParity(12, 4)}, "judge must be a rule of 24 bits"),
        (
            {"model": ec.DiT(patch=1, width=16, blocks=1, heads=2), "rule": ec.GroupParity(24, 2)},
            "a token must not be a whole group",
        ),
    ],
)
def test_bad_cases(change, message):
    with pytest.raises(ec.InputError, match=message):
        replace(case_of(64), **change)


def test_bad_models_and_sets():
    with pytest.raises(ec.InputError, match="heads must divide width = 16, got 3"):
        GPT(16, 1, 3)
    with pytest.raises(ec.InputError, match="N must be at most a quarter of the 256 valid samples"):
        measure(
            Case(ec.GroupParity(12, 3), 100, ec.FeedForward(8, 1), 100, ec.GroupParity(12, 3), allow_chance=True), 0
        )


def test_a_wide_network_that_never_learns_speaks_against_capacity(designed):
    config, runs = designed
    late = runs.dataset.copy(deep=True)
    late["q"].loc[{"case": "width 512"}] = 0.0
    found = {row["claim"][:2]: row["verdict"] for row in verdicts(Runs(late), config)}
    assert found["C2"] == "undetermined"
    narrow = runs.dataset.copy(deep=True)
    narrow["q"].loc[{"case": "width 64"}] = 0.0
    assert {row["claim"][:2]: row["verdict"] for row in verdicts(Runs(narrow), config)}["C2"] in (
        "shown",
        "undetermined",
    )


def test_claims_of_dropped_cases_are_not_assessed(designed):
    config, runs = designed
    fewer = runs.dataset.drop_sel(case=["width 256"])
    found = {row["claim"][:2]: row["verdict"] for row in verdicts(Runs(fewer), config)}
    assert found["C2"] == "not assessed"
    without = runs.dataset.drop_sel(case=[parity(4, 512)])
    assert not any(
        row["verdict"] == "shown"
        for row in verdicts(Runs(without), config)
        if row["claim"].startswith("forecast: memory")
    )
