"""Tests of `eigenclock.integrations.lightning`, with a real Trainer."""

import lightning
import numpy as np
import pytest
import torch
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import eigenclock as ec
from eigenclock.integrations.lightning import ProbeCallback

pytestmark = pytest.mark.filterwarnings(
    "ignore"
)  # Lightning's own: few workers, no validation, GPUs that are not there

SPECTRUM = ec.Spectrum([1.0, 0.3, 0.1, 0.01])


class Module(lightning.LightningModule):
    """EDM on four coordinates."""

    def __init__(self):
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(0)
            self.net = ec.MLP(16, 1).build((4,))
        self.denoiser = ec.as_denoiser(self.net, ec.EDM(density=ec.LogNormal()))

    def training_step(self, batch, _):
        return self.denoiser.loss(batch[0], torch.Generator().manual_seed(self.global_step))

    def configure_optimizers(self):
        return torch.optim.Adam(self.net.parameters(), lr=1e-2)


def loader():
    x = torch.randn(96, 4, generator=torch.Generator().manual_seed(1)) * torch.tensor(SPECTRUM.variance).sqrt().float()
    return torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x), batch_size=16)


def probe():
    return ec.Probe(SPECTRUM, sampler=ec.Heun(steps=6), steps=[1, 3, 6, 9, 12], n_samples=64, batch_size=16)


def trained(folder, epochs, *, checkpoint=None, watched=None, figure=False, logger=None):
    callback = ProbeCallback(probe() if watched is None else watched, figure=figure)
    trainer = lightning.Trainer(
        max_epochs=epochs, accelerator="cpu", devices=1, default_root_dir=folder, logger=logger or False,
        callbacks=[callback], enable_progress_bar=False, enable_model_summary=False, log_every_n_steps=1,
        enable_checkpointing=checkpoint is None,
    )  # fmt: skip
    module = Module()
    trainer.fit(module, loader(), ckpt_path=checkpoint)
    trainer.save_checkpoint(folder / "last.ckpt")
    return callback.probe, module


def test_two_epochs_are_probed_and_logged_and_a_checkpoint_goes_on(tmp_path):
    whole, module = trained(tmp_path / "whole", 2, figure=True, logger=TensorBoardLogger(tmp_path / "logs"))
    assert whole.curve().time.values.tolist() == [0, 1, 3, 6, 9, 12]

    trained(tmp_path / "half", 1)
    resumed, other = trained(tmp_path / "rest", 2, checkpoint=tmp_path / "half" / "last.ckpt")
    assert all(torch.equal(a, b) for a, b in zip(module.parameters(), other.parameters(), strict=True))
    assert np.array_equal(resumed.curve().variance.values, whole.curve().variance.values)  # to the bit
    assert resumed.scalars() == whole.scalars()

    events = EventAccumulator(str(next((tmp_path / "logs").rglob("events*")).parent))
    events.Reload()
    logged = {scalar.step: scalar.value for scalar in events.Scalars("eigenclock/w2")}
    assert list(logged) == [0, 1, 3, 6, 9, 12]
    assert logged[12] == pytest.approx(whole.scalars()["w2"], rel=1e-6)  # events hold single precision
    assert events.Tags()["images"] == ["eigenclock/probe"]


def test_training_is_the_same_without_the_callback(tmp_path):
    _, with_probe = trained(tmp_path / "with", 1)
    module = Module()
    lightning.Trainer(
        max_epochs=1, accelerator="cpu", devices=1, default_root_dir=tmp_path, logger=False, enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False,
    ).fit(module, loader())  # fmt: skip
    assert all(torch.equal(a, b) for a, b in zip(module.parameters(), with_probe.parameters(), strict=True))


def test_any_denoiser_of_a_module_will_do(tmp_path):
    class Bare(Module):
        def __init__(self):
            super().__init__()
            self.mine, self.denoiser = self.denoiser, None

        def training_step(self, batch, _):
            return self.mine.loss(batch[0])

    def fit(callback):
        trainer = lightning.Trainer(
            max_steps=3, accelerator="cpu", devices=1, logger=CSVLogger(tmp_path), callbacks=[callback],
            enable_progress_bar=False, enable_model_summary=False, enable_checkpointing=False,
        )  # fmt: skip
        trainer.fit(Bare(), loader())

    with pytest.raises(ec.InputError, match="module must have a denoiser"):
        fit(ProbeCallback(probe()))
    mine = ProbeCallback(probe(), lambda module: module.mine)
    fit(mine)
    assert mine.probe.recorded == 3
    assert "eigenclock/in_band" in next(tmp_path.rglob("metrics.csv")).read_text()


def test_a_probe_of_another_training_is_refused_and_two_have_names(tmp_path):
    used, _ = trained(tmp_path / "first", 1)
    with pytest.raises(ec.InputError, match="probe must be new for a new training, got one with records up to step 6"):
        trained(tmp_path / "second", 1, watched=used)
    keys = {ProbeCallback(probe(), name=name).state_key for name in ("weights", "averaged")}
    assert len(keys) == 2


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ProbeCallback(None), "probe must be an"),
        (lambda: ProbeCallback(probe(), 3), "denoiser must be a function"),
    ],
)
def test_errors(make, message):
    with pytest.raises(ec.InputError, match=message):
        make()
