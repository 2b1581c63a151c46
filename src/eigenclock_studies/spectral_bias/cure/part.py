"""The part `cure` of the study: every method on every network and data set, and what it saved or cost."""

from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from eigenclock.training.network_options import MLP, UNet
from ...networks import Run, place_of, train_runs
from ...study import Part, Say
from .arms import Arm, Training
from .figures import curves_figure, samples_figure, speed_figure
from .judging import control, judged
from .methods import ALL, MUON, TWO, Method
from .pictures import Pictures
from .tables import claims_of, measured_table, speed_table


@dataclass(frozen=True)
class Options:
    """The first data set with every method and seed; the others, and Gaussian data, with one seed, EDM and SpectralEDM.

    - `data`, `others`: bundled names or paths. - `cosines`: those whose spectrum is of cosines, not of principal components.
    - `chain`, `unet`: how each network is trained; `other_steps`, `other_longer`: on other data.
    - `samples`: generated ones that are judged. - `feature_steps`: of the network in whose features they are.
    - `networks`, `methods`: names of those trained, EDM and SpectralEDM by the mode loss at least. - `gaussian`: its control too.
    """

    data: str
    seeds: tuple[int, ...]
    chain: Training
    unet: Training
    others: tuple[str, ...] = ()
    other_steps: tuple[int, ...] = (100, 300)
    other_longer: tuple[int, ...] = (600,)
    cosines: tuple[str, ...] = ("natural32-colour",)
    n: int = 10_000
    samples: int = 512
    feature_steps: int = 400
    networks: tuple[str, ...] = ("chain", "unet")
    methods: tuple[str, ...] = tuple(method.name for method in (*ALL, MUON))
    gaussian: bool = True
    workers: int | None = None

    @property
    def trainings(self) -> dict[str, Training]:
        """By network."""
        return {name: one for name, one in (("chain", self.chain), ("unet", self.unet)) if name in self.networks}

    def source(self, data: str, *, gaussian: bool = False) -> Pictures:
        """A data set."""
        return Pictures(data, self.n, "dct" if data in self.cosines else "pca", gaussian=gaussian)

    def arms(self) -> list[Arm]:
        """All that is trained."""
        main = self.source(self.data)
        arms = [
            Arm(main, network, training, method, self.seeds)
            for network, training in self.trainings.items()
            for method in (*ALL, *([MUON] if network == "chain" else []))
            if method.name in self.methods
        ]
        gaussian = [self.source(self.data, gaussian=True)] if self.gaussian else []
        others = [*gaussian, *(self.source(data) for data in self.others)]
        return arms + [arm for source in others for arm in self._other(source, TWO)]

    def _other(self, source: Pictures, methods: tuple[Method, ...]) -> list[Arm]:
        fewer = {
            name: replace(one, steps=self.other_steps, longer=self.other_longer, early=None)
            for name, one in self.trainings.items()
        }
        return [Arm(source, name, one, method, self.seeds[:1]) for name, one in fewer.items() for method in methods]


PRESETS = {
    "tiny": Options(
        "digits",
        (0,),
        Training(MLP(32, 2, zero_output=True), 32, (10, 20), early=(10, 20)),
        Training(UNet(8, (1,)), 16, (10, 20)),
        other_steps=(10,),
        other_longer=(20,),
        n=300,
        feature_steps=10,
        samples=48,
        networks=("chain",),
        methods=("edm", "mode"),
        gaussian=False,
        workers=1,
    ),
    "cpu": Options(
        "natural16",
        (0, 1),
        Training(MLP(512, 5, zero_output=True), 256, (50, 100, 200, 300), (600, 1000), early=(100, 1000)),
        Training(UNet(32, (1, 2)), 64, (100, 200, 300)),
        networks=("chain",),
        methods=("edm", "mode", "sample"),
        gaussian=False,
    ),
    "paper": Options(
        "natural16",
        (0, 1, 2),
        Training(
            MLP(512, 5, zero_output=True),
            256,
            (50, 100, 200, 300, 500, 700, 1000, 1400, 2000),
            (3000, 4000),
            early=(200, 2000),
        ),
        Training(UNet(32, (1, 2)), 64, (100, 200, 300, 500, 700, 1000), (1400, 2000), early=(300, 1000), ema=0.95),
        ("natural32-colour",),
    ),
}


def run(options: Options, folder: Path, say: Say) -> Part:
    """Train, judge and set side by side."""
    arms = options.arms()
    judging = {arm: arm.judging(options.samples, options.feature_steps) for arm in arms}
    runs = {arm: [Run(arm.case(judging[arm]), seed) for seed in arm.seeds] for arm in arms}
    main = options.source(options.data)
    every = [(arm.source != main, arm.method not in TWO, one.seed, one) for arm in arms for one in runs[arm]]
    train_runs(folder, [one for *_, one in sorted(every, key=lambda o: o[:3])], workers=options.workers, say=say)
    found = {arm: [judged(place_of(folder, one), judging[arm]) for one in some] for arm, some in runs.items()}
    controls = [
        control(source, options.samples, options.feature_steps) for source in dict.fromkeys(arm.source for arm in arms)
    ]
    tables = {"measured": measured_table(found), "speed_ups": speed_table(found), "controls": pd.DataFrame(controls)}
    figures = {"curves": curves_figure(found, main), "speed_ups": speed_figure(found, main)}
    figures |= {f"samples_{network}": samples_figure(found, main, network) for network in options.trainings}
    claims = claims_of(found, main)
    return Part(claims, tables, figures, notes=NOTES, shown=("speed_ups", "controls"))


NOTES = (
    "All methods: one network and start, Adam 3e-4 (Muon where said), the same batches, noise levels and steps; of U-Nets "
    "averaged weights are judged (0.95 a step). Samples by Heun's 40 steps from the same balanced noise. SpectralEDM has input "
    "by mode and cross-validated principal components, on colour images cosines.",
    "Denoising error: on held-out images, squared error over that of the best Gaussian denoiser, mean over the noise levels "
    "0.02, 0.05, 0.1, 0.2, 0.4, 0.8, 2 and 5; on whitened data of whitened images with white noise, which is another one.",
    "W₁: in standard deviations of each mode; coarse are the first twelfth, fine the last quarter.",
)
