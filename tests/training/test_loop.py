"""The training loop: seeds, resumption after a kill at any moment, checkpoints, errors."""

import hashlib
import subprocess
import sys
import textwrap

import numpy as np
import pytest
import scipy.stats
import torch
from safetensors.torch import load_file
from support.small_training import OBJECTIVE, small

import eigenclock as ec
from eigenclock.jobs.run_folder import CHECKPOINT


def weights(trained):
    return torch.cat([p.detach().flatten() for p in trained.network.parameters()])


def test_same_seed_same_run_and_every_seed_its_own():
    (a, first), (b, second), (c, _) = small(), small(), small(seed=1)
    assert torch.equal(weights(a), weights(b))
    assert first.dataset.identical(second.dataset)
    assert not torch.equal(weights(a), weights(c))
    assert a.metrics == b.metrics
    assert [r["step"] for r in a.metrics] == [10, 20, 30, 40]


def test_it_learns():
    trained, curve = small(steps=400, optimizer=ec.Adam(1e-2), options=ec.LoopOptions(batch_size=60, device="cpu"))
    assert trained.metrics[-1]["loss"] < trained.metrics[0]["loss"]
    target, sigma = curve.target.values[:, None], curve.dataset["sigma"].values
    error = np.abs(curve.gain.values - target / (target + sigma**2)).mean(axis=(1, 2))
    assert error[-1] < 0.75 * error[0]


def test_modes_of_larger_variance_emerge_first():
    """An MLP on Gaussian data: order of emergence and variance, as of the paper's law, outside the gray zone."""
    rng = np.random.default_rng(0)
    basis, _ = np.linalg.qr(rng.standard_normal((24, 24)))
    samples = (rng.standard_normal((4000, 24)) * np.geomspace(6, 0.8, 24)) @ basis.T
    spectrum = ec.Spectrum.from_samples(samples)
    probe = ec.Probe(spectrum, sampler=ec.Heun(steps=20), steps=ec.log_steps(1, 1200, 40), n_samples=256, sigma=())
    ec.train(ec.MLP(96, 3).build((24,), seed=0), samples, objective=OBJECTIVE, optimizer=ec.Adam(5e-4), steps=1200, probe=probe,
             options=ec.LoopOptions(batch_size=256, device="cpu"))  # fmt: skip
    table = probe.curve().emergence()
    use = table.select("rising")
    assert use.sum() >= 15
    assert scipy.stats.spearmanr(table.time[use], table.target[use]).statistic <= -0.95


def test_progress_says_what_comes_next():
    said = []
    small(progress=lambda step, steps, words: said.append((step, steps, words)))
    assert [step for step, _, _ in said] == [10, 20, 30, 40]
    assert all(words.startswith("loss ") for _, _, words in said)
    assert "next probe 19" in said[0][2]
    assert "next probe" not in said[-1][2]


OPTIONS = {
    "adam": (ec.Adam(3e-3), ec.LoopOptions(batch_size=16, device="cpu", checkpoint_every=10)),
    "adamw, averaged, clipped": (ec.AdamW(3e-3), ec.LoopOptions(batch_size=16, device="cpu", checkpoint_every=10, ema=0.9, clip=1.0)),
    "momentum": (ec.SGD(1e-4, 0.9), ec.LoopOptions(batch_size=16, device="cpu", checkpoint_every=10)),
    "plain sgd, 64 bits": (ec.SGD(1e-4), ec.LoopOptions(batch_size=16, device="cpu", checkpoint_every=10, precision="float64")),
    "bfloat16": (ec.Adam(3e-3), ec.LoopOptions(batch_size=16, device="cpu", checkpoint_every=10, precision="bfloat16")),
}  # fmt: skip


@pytest.mark.parametrize("case", OPTIONS)
def test_resumed_run_is_the_same_to_the_bit(case, tmp_path):
    optimizer, options = OPTIONS[case]
    whole, curve = small(tmp_path / "whole", optimizer=optimizer, options=options)
    small(tmp_path / "parts", steps=25, optimizer=optimizer, options=options)
    resumed, again = small(tmp_path / "parts", optimizer=optimizer, options=options, resume=True)
    assert torch.equal(weights(whole), weights(resumed))
    assert curve.dataset.identical(again.dataset)
    assert (resumed.steps_done, resumed.step) == (15, 40)
    first, second = (load_file(tmp_path / name / CHECKPOINT) for name in ("whole", "parts"))
    assert first.keys() == second.keys()
    assert all(torch.equal(first[key], second[key]) for key in first)


@pytest.mark.parametrize("optimizer", [ec.Adam(3e-3), ec.SGD(1e-4, 0.9)], ids=["adam", "momentum"])
@pytest.mark.parametrize(
    "network", [ec.ConvNet(8, 1), ec.UNet(8, (1, 2), 1, (4,)), ec.DiT(4, 16, 1, 2)], ids=lambda n: type(n).__name__
)
def test_image_networks_resume_to_the_bit(network, optimizer, tmp_path):
    """Weights of convolutions lie channels last, and so must the optimizer's moments after a resumption."""
    images, ends = np.random.default_rng(0).standard_normal((40, 8, 8)), []
    for name, parts in (("whole", (12,)), ("parts", (5, 12))):
        for steps in parts:
            module = network.build((8, 8), seed=1)
            ec.train(module, images, objective=OBJECTIVE, optimizer=optimizer, steps=steps, folder=tmp_path / name, resume=True,
                     options=ec.LoopOptions(batch_size=8, device="cpu"))  # fmt: skip
        ends.append(torch.cat([p.detach().flatten() for p in module.parameters()]))
    assert torch.equal(*ends)


KILLED = """
import os, signal, sys, time
import numpy as np, torch
torch.set_num_threads(1)
sys.path[:0] = {paths!r}
import eigenclock as ec
from support.small_training import small

folder, kills = {folder!r}, 0
rng = np.random.default_rng(0)
network = ec.MLP(64, 3)
options = ec.LoopOptions(batch_size=32, device="cpu", checkpoint_every=10, ema=0.9)
while True:
    child = os.fork()
    if child == 0:
        small(folder, steps=400, network=network, options=options, resume=True)
        os._exit(0)
    if kills < 10:
        time.sleep(rng.uniform(0.02, 0.35))
        finished, _ = os.waitpid(child, os.WNOHANG)
        if finished:
            break
        os.kill(child, signal.SIGKILL)
        kills += 1
    os.waitpid(child, 0)
    if kills == 10:
        small(folder, steps=400, network=network, options=options, resume=True)
        break
print(kills)
"""


def test_killed_at_ten_random_moments(tmp_path, request):
    """SIGKILL wherever it strikes, in a step, a probe or a write: the end is the same, to the hash of the checkpoint."""
    paths = [str(request.config.rootpath / "tests"), str(request.config.rootpath)]
    script = textwrap.dedent(KILLED).format(paths=paths, folder=str(tmp_path / "killed"))
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= 5, "killed often enough to mean something"
    threads = torch.get_num_threads()
    options = ec.LoopOptions(batch_size=32, device="cpu", checkpoint_every=10, ema=0.9, threads=1)
    try:
        _, curve = small(tmp_path / "whole", steps=400, network=ec.MLP(64, 3), options=options)
    finally:
        torch.set_num_threads(threads)
    hashes = {hashlib.sha256((tmp_path / name / CHECKPOINT).read_bytes()).hexdigest() for name in ("killed", "whole")}
    assert len(hashes) == 1
    killed = ec.LearningCurve.load(tmp_path / "killed" / "measured.nc")
    assert killed.dataset.identical(curve.dataset)
    streams = [(tmp_path / name / "metrics.jsonl").read_text() for name in ("killed", "whole")]
    assert streams[0] == streams[1]
    left = {path.name for path in (tmp_path / "killed").iterdir() if not path.name.startswith(".")}
    assert left == {"checkpoints", "measured.nc", "metrics.jsonl"}


def test_averaged_weights_are_an_exponential_average():
    trained, _ = small(steps=30, options=ec.LoopOptions(batch_size=16, device="cpu", ema=0.5))
    averaged = torch.cat([p.flatten() for p in trained.denoiser.network.parameters()])
    assert not torch.equal(averaged, weights(trained))
    # at decay 1/2 the average is within a few steps of the weights
    assert (averaged - weights(trained)).abs().max() < 10 * 3e-3


def test_clipping_bounds_the_step():
    trained, _ = small(steps=1, optimizer=ec.SGD(1.0), options=ec.LoopOptions(batch_size=16, device="cpu", clip=1e-3))
    start = ec.MLP(16, 2).build((6,), seed=0)
    moved = weights(trained) - torch.cat([p.detach().flatten() for p in start.parameters()])
    assert 0 < moved.norm() <= 1.001e-3


def test_not_a_number_stops_early_and_keeps_what_was_computed(tmp_path):
    with pytest.raises(
        ec.InputError,
        match=r"training stopped at step \d+: the loss is (nan|inf), optimizer.lr must be smaller than 1e\+10",
    ):
        small(
            tmp_path,
            steps=40,
            optimizer=ec.SGD(1e10),
            options=ec.LoopOptions(batch_size=16, device="cpu", checkpoint_every=1),
        )
    assert (tmp_path / "measured.nc").exists()
    for tensor in load_file(tmp_path / CHECKPOINT).values():
        assert torch.isfinite(tensor.double()).all(), "the last good checkpoint is good"


def test_not_a_number_before_any_checkpoint_keeps_the_curve(tmp_path):
    with pytest.raises(ec.InputError) as error:
        small(tmp_path, optimizer=ec.SGD(1e10), options=ec.LoopOptions(batch_size=16, device="cpu"))
    assert "checkpoint" not in str(error.value)
    assert (tmp_path / "measured.nc").exists()
    assert not (tmp_path / CHECKPOINT).exists()


def test_a_probe_serves_one_run():
    samples = np.random.default_rng(0).standard_normal((20, 3))
    probe = ec.Probe(ec.Spectrum.from_samples(samples), sampler=ec.Euler(steps=2), steps=[1], n_samples=8)
    arguments = {
        "objective": OBJECTIVE,
        "optimizer": ec.Adam(),
        "steps": 2,
        "probe": probe,
        "options": ec.LoopOptions(batch_size=4, device="cpu"),
    }
    ec.train(ec.MLP(4, 1).build((3,)), samples, **arguments)
    with pytest.raises(ec.InputError, match="probe must be new for a new run"):
        ec.train(ec.MLP(4, 1).build((3,), seed=1), samples, **arguments)


def test_loss_of_an_extended_run_is_a_mean(tmp_path):
    whole, _ = small(tmp_path / "whole", steps=30)
    small(tmp_path / "parts", steps=17)
    extended, _ = small(tmp_path / "parts", steps=30, resume=True)
    assert extended.metrics == whole.metrics


ERRORS = {
    "steps": ({"steps": 0}, "steps must be a whole number >= 1, got 0"),
    "device": ({"options": ec.LoopOptions(device="cuda:7")}, "device must be one of cpu here, got cuda:7"),
    "objective": ({"objective": "edm"}, "objective must be an objective of the theory"),
    "range": ({"sigma_range": (0.0, 80.0)}, r"sigma_range\[0\] must be a finite number > 0"),
    "empty": ({"samples": np.zeros((0, 6))}, r"samples must have shape \(n, \.\.\.\) with n >= 1"),
    "nan": ({"samples": np.full((4, 6), np.nan)}, "samples must be an array of finite numbers"),
    "fit": ({"samples": np.zeros((4, 5))}, r"samples must fit the network, got samples of shape \(5,\)"),
    "device name": ({"options": ec.LoopOptions(device="toaster")}, "device must be one of cpu here, got toaster"),
}


@pytest.mark.skipif(torch.cuda.is_available(), reason="says which devices a machine without a GPU has")
@pytest.mark.parametrize("case", ERRORS)
def test_errors(case):
    arguments, message = ERRORS[case]
    with pytest.raises(ec.InputError, match=message):
        small(**arguments)


def test_other_settings_are_refused_by_name(tmp_path):
    small(tmp_path, settings={"data": "digits", "network": {"width": 16}})
    with pytest.raises(ec.InputError) as error:
        small(tmp_path, settings={"data": "faces", "network": {"width": 16}}, resume=True, optimizer=ec.Adam(1e-3))
    assert str(error.value) == (
        f"settings differ from the run in {tmp_path}: optimizer.lr was 0.003, now 0.001, settings.data was digits, now faces"
    )
    with pytest.raises(ec.InputError, match=r"loop\.clip was None, now 0\.5"):
        small(
            tmp_path,
            resume=True,
            settings={"data": "digits", "network": {"width": 16}},
            options=ec.LoopOptions(batch_size=16, device="cpu", clip=0.5),
        )


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # within PyTorch's compiler
def test_compiled_training_is_the_same_but_for_rounding():
    plain, _ = small(steps=10)
    compiled, _ = small(steps=10, options=ec.LoopOptions(batch_size=16, device="cpu", compile=True))
    torch.testing.assert_close(weights(plain), weights(compiled), rtol=1e-3, atol=1e-4)


def test_train_can_let_the_learning_rate_fall():
    """Plain gradient descent on one weight: the sum of its rates, by a gradient that does not change."""
    seen = []

    class Constant(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.w = torch.nn.Parameter(torch.zeros(1))

        def forward(self, x, sigma):
            seen.append(float(self.w.detach()))
            return x * 0 + self.w

    x = np.full((4, 1), 100.0)
    network = Constant()
    options = ec.LoopOptions(batch_size=4, decay=0.5, device="cpu")
    ec.train(network, x, objective=ec.Denoising(), optimizer=ec.SGD(lr=1e-9), steps=10, options=options)
    moved = np.diff(seen[1:])  # the first call only asks for the shape
    assert np.allclose(moved / moved[0], [1, 1, 1, 1, 1, 1, 0.8, 0.6, 0.4], rtol=0.05)
    with pytest.raises(ec.InputError, match="decay must be a share of the steps <= 1, got 2"):
        ec.LoopOptions(decay=2.0)
