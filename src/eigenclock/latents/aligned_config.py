"""Options of the prior-aligned autoencoder."""

from dataclasses import dataclass

from ..checks import integer_option, number_option, seed_option


@dataclass(frozen=True, kw_only=True)
class AlignedConfig:
    """Options of `PriorAlignedAutoencoder`.

    **Parameters**

    - `d`: width of a token. - `width`: channels of the convolutions. - `w_ssr`, `w_mcr`, `w_scr`: weights of the three
      alignments; 0 leaves one out. - `theta_l`: larger angle of local continuity in degrees; None leaves as much information
      as the paper's. The smaller one is half of it.
    - `blur`: of the prior over the token grid. - `noise`: angle of plain latent noise in training, a control; 0 for none.
    - `ae_steps`: steps of the warm start, absolute and perceptual error only; `finetune_steps`: with the alignments.
    - `batch`, `lr`, `finetune_lr`: of both. - `device`, `seed`.
    """

    d: int = 8
    width: int = 64
    w_ssr: float = 0.1
    w_mcr: float = 0.25
    w_scr: float = 0.1
    theta_l: float | None = None
    blur: float = 0.0
    noise: float = 0.0
    ae_steps: int = 500
    finetune_steps: int = 300
    batch: int = 32
    lr: float = 3e-3
    finetune_lr: float = 2e-3
    device: str = "cpu"
    seed: int = 0

    def __post_init__(self) -> None:
        for name, least in (("d", 1), ("width", 1), ("ae_steps", 1), ("finetune_steps", 0), ("batch", 2)):
            integer_option(self, name, at_least=least)
        seed_option(self)
        for name in ("w_ssr", "w_mcr", "w_scr", "blur", "noise"):
            number_option(self, name, at_least=0)
        for name in ("lr", "finetune_lr"):
            number_option(self, name, above=0)
        if self.theta_l is not None:
            number_option(self, "theta_l", above=0, below=90)

    @property
    def aligned(self) -> bool:
        """Whether a prior is needed."""
        return self.w_ssr > 0 or self.w_scr > 0
