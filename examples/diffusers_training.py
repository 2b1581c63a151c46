"""A training script of diffusers with a probe in five lines: UNet2DModel, DDPM or flow matching, averaged weights.

`python -m examples.diffusers_training ddpm` (or `flow`) trains on bundled patches, about two minutes on two cores, and logs for
TensorBoard under runs/diffusers. The five lines of eigenclock are marked.
"""

import sys

import torch
from diffusers import DDPMScheduler, FlowMatchEulerDiscreteScheduler, UNet2DModel
from diffusers.training_utils import EMAModel
from torch.utils.data import DataLoader
from torch.utils.tensorboard import SummaryWriter

import eigenclock as ec

DECAY = 0.99


def main(
    kind: str = "ddpm", steps: int = 600, samples: int = 4096, folder: str = "runs/diffusers", seed: int = 0
) -> ec.Probe:
    """Train, and return the probe."""
    torch.manual_seed(seed)
    images = ec.data.natural_patches(16).standardized().samples[:samples]  # (n, 16, 16)
    loader = DataLoader(
        torch.as_tensor(images, dtype=torch.float32)[:, None], batch_size=64, shuffle=True, drop_last=True
    )
    model = UNet2DModel(
        sample_size=16, in_channels=1, out_channels=1, layers_per_block=1, block_out_channels=(16, 32), norm_num_groups=8,
        down_block_types=("DownBlock2D", "DownBlock2D"), up_block_types=("UpBlock2D", "UpBlock2D"),
    )  # fmt: skip
    averaged = EMAModel(model.parameters(), decay=DECAY, model_cls=UNet2DModel, model_config=model.config)
    scheduler = DDPMScheduler() if kind == "ddpm" else FlowMatchEulerDiscreteScheduler()
    descent = torch.optim.Adam(model.parameters(), lr=1e-3)
    watched = UNet2DModel.from_config(model.config)

    spectrum = ec.Spectrum.from_samples(images)  # 1
    denoiser = ec.as_denoiser(watched, scheduler=scheduler)  # 2
    sampler = ec.Heun(steps=20, sigma_min=0.01, sigma_max=157.0)  # 3
    probe = ec.Probe(spectrum, data=images, sampler=sampler, steps=ec.log_steps(1, steps, 12), batch_size=64)  # 4

    step, writer = 0, SummaryWriter(folder)
    probe(0, denoiser)
    while step < steps:
        for clean in loader:
            noise = torch.randn_like(clean)
            if kind == "ddpm":
                t = torch.randint(scheduler.config.num_train_timesteps, (len(clean),))
                seen, target = scheduler.add_noise(clean, noise, t), noise
            else:
                share = torch.rand(len(clean))
                t, s = share * scheduler.config.num_train_timesteps, share.reshape(-1, 1, 1, 1)
                seen, target = (1 - s) * clean + s * noise, noise - clean
            loss = (model(seen, t).sample - target).square().mean()
            descent.zero_grad()
            loss.backward()
            descent.step()
            averaged.step(model.parameters())
            step += 1
            writer.add_scalar("loss", loss.item(), step)
            if probe.due(step):
                averaged.copy_to(watched.parameters())
            probe(step, denoiser)  # 5
            if step in probe.steps:
                for name, value in probe.scalars("eigenclock/").items():
                    writer.add_scalar(name, value, step)
            if step == steps:
                break
    writer.add_figure("eigenclock/probe", probe.figure(), step)
    writer.close()
    return probe


if __name__ == "__main__":
    print(main(*sys.argv[1:2]).forecast())
