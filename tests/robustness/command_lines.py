"""(c) Command lines from a grammar: a command, options that it has, values that may be wrong."""

import random

VALUES = (
    "1", "0", "-1", "2", "3.5", "1e3", "1e400", "nan", "inf", "-inf", "", " ", "null", "true", "false", "maybe", "abc", "[]", "{}",
    "[1,2]", "[0.3,0.1]", "{a: 1}", "&a [*a]", "*a", "10**30", "1000000000000000000000", "-5", "0x10", "é", "σ", "a b", "--", "-", "=",
    "digits", "faces", "nowhere", "{tmp}/x.npy", "{tmp}/bad.npy", "{tmp}/pictures", "{tmp}/s.nc", "{tmp}/config.yaml", "/dev/full", "/dev/null",
    "/proc/x", "x" * 300, "EDM", "Epsilon", "Heun", "Euler", "Adam", "SGD", "MLP", "Linear", "OneLayer", "Circulant", "GradientDescent",
    "edm", "Objective", "eigenclock.EDM", "os.system", "numpy:nothing", "pca", "fourier", "gray", "rgb", "tiny", "cpu",
)  # fmt: skip

OPTIONS = {
    "spectrum": ("data", "n", "image_size", "color", "standardize", "basis", "seed", "out", "overwrite", "config", "max_pixels"),
    "cite": ("objective", "architecture", "optimizer", "sampler", "steps", "sampler.steps", "objective.density.std", "config"),
    "predict": (
        "data", "out", "n", "steps", "seed", "basis", "objective", "architecture", "optimizer", "sampler", "sampler.steps",
        "sampler.sigma_max", "objective.sigma_data", "architecture.init", "optimizer.lr", "simulation.enabled", "overwrite", "resume",
        "config", "standardize",
    ),
    "run": (
        "data", "out", "n", "steps", "seed", "network", "network.width", "objective", "optimizer", "optimizer.lr", "sampler",
        "training.batch_size", "training.device", "training.precision", "training.ema", "training.checkpoint_minutes", "probe.count",
        "probe.samples", "probe.gain", "probe.patches", "overwrite", "resume", "config", "color",
    ),
    "compare": ("run", "curve", "measured", "config"),
    "report": ("run", "config"),
    "study": ("preset", "out", "part", "data", "set", "set.window.seeds", "config"),
    "diagnose-latents": ("decoder", "out", "seed", "config"),
    "score-latent": ("model", "data", "out", "n", "seed", "folder", "resume", "options.d", "options.width", "options.stage1_steps"),
}  # fmt: skip

PLACES = {
    "study": ("spectral_bias", "nowhere", ""), "diagnose-latents": ("{tmp}/x.npy", "{tmp}/bad.npy", "nowhere"),
    "score-latent": ("fit", "sample", "jump"),
}  # fmt: skip

RIGHT = {
    "data": ("digits", "{tmp}/x.npy", "{tmp}/pictures"), "n": ("30", "1e1"), "image_size": ("4",), "color": ("gray", "rgb"),
    "standardize": ("true", "false"), "basis": ("pca", "fourier"), "seed": ("1", "18446744073709551616"), "out": ("{tmp}/o.nc", "{tmp}/o"),
    "config": ("{tmp}/config.yaml",), "max_pixels": ("1000000",), "objective": ("EDM", "Epsilon", "Velocity"), "architecture": ("OneLayer", "Affine"),
    "optimizer": ("GradientFlow", "Adam"), "sampler": ("Heun", "Euler"), "steps": ("3",), "sampler.steps": ("4",), "sampler.sigma_max": ("40",),
    "objective.sigma_data": ("1",), "objective.density.std": ("1.5",), "architecture.init": ("0.1",), "optimizer.lr": ("0.001",),
    "simulation.enabled": ("false",), "network": ("MLP", "NormedMLP", "Linear"), "network.width": ("4",), "training.batch_size": ("8",),
    "training.device": ("cpu",), "training.precision": ("float64",), "training.ema": ("0.5",), "training.checkpoint_minutes": ("1",),
    "probe.count": ("3",), "probe.samples": ("9",), "probe.gain": ("false",), "probe.patches": ("[2]",), "options.d": ("2",), "options.width": ("8",),
    "options.stage1_steps": ("3",), "folder": ("{tmp}/fit",), "model": ("{tmp}/n.safetensors",),
}  # fmt: skip
"""Values that options can have."""

SMALL = {
    "run": ["--data", "digits", "--n", "40", "--steps", "2", "--network.width", "8", "--network.layers", "2", "--probe.count", "2", "--probe.samples", "8", "--sampler", "Heun", "--sampler.steps", "3"],
    "predict": ["--data", "digits", "--n", "40", "--steps", "5", "--sampler", "Heun", "--sampler.steps", "3"],
    "spectrum": ["--data", "digits", "--n", "40"],
    "score-latent": ["--model", "{tmp}/m.safetensors", "--data", "{tmp}/x.npy", "--options.stage1_steps", "2", "--options.stage2_steps", "2"],
}  # fmt: skip
"""Options that keep a call that is right small."""


def command_line(seed: int, tmp: str) -> list[str]:
    """A command line; few options, so that some are right and one often is not."""
    chance = random.Random(seed)
    if chance.random() < 0.03:
        return [chance.choice(VALUES).replace("{tmp}", tmp) for _ in range(chance.randrange(3))]
    command = chance.choice(tuple(OPTIONS))
    words = [command]
    if command in PLACES and chance.random() < 0.9:
        words.append(chance.choice(PLACES[command]))
    if command in SMALL:
        words += SMALL[command]
    if command in ("run", "predict") and chance.random() < 0.9:
        words += ["--out", f"{{tmp}}/r{seed}"]
    for _ in range(chance.choice((0, 1, 1, 2, 2, 3))):
        option = chance.choice(OPTIONS[command])
        value = chance.choice(RIGHT[option] if option in RIGHT and chance.random() < 0.6 else VALUES)
        spelt = (
            option if chance.random() < 0.9 else chance.choice((option.replace("_", "-"), option + "x", option[:-1]))
        )
        if option in ("overwrite", "resume"):
            words.append(f"--{spelt}")
        elif chance.random() < 0.2:
            words.append(f"--{spelt}={value}")
        else:
            words += [f"--{spelt}", value]
    if command == "study":
        words += ["--part", "nothing"]  # a study that is right would run for minutes
    return [word.replace("{tmp}", tmp) for word in words]
