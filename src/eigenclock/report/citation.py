"""What to cite: the papers behind exactly the methods that a recipe uses."""

from ..recipe.densities import LogNormal
from ..recipe.recipe import Recipe

PAPERS = {
    "theory": """@inproceedings{wang2025spectral,
  title = {An Analytical Theory of Spectral Bias in the Learning Dynamics of Diffusion Models},
  author = {Wang, Binxu and Pehlevan, Cengiz},
  booktitle = {Advances in Neural Information Processing Systems},
  year = {2025}, eprint = {2503.03206}, archivePrefix = {arXiv}
}""",
    "edm": """@inproceedings{karras2022elucidating,
  title = {Elucidating the Design Space of Diffusion-Based Generative Models},
  author = {Karras, Tero and Aittala, Miika and Aila, Timo and Laine, Samuli},
  booktitle = {Advances in Neural Information Processing Systems},
  year = {2022}, eprint = {2206.00364}, archivePrefix = {arXiv}
}""",
    "sde": """@inproceedings{song2021score,
  title = {Score-Based Generative Modeling through Stochastic Differential Equations},
  author = {Song, Yang and Sohl-Dickstein, Jascha and Kingma, Diederik P. and Kumar, Abhishek and Ermon, Stefano and Poole, Ben},
  booktitle = {International Conference on Learning Representations},
  year = {2021}, eprint = {2011.13456}, archivePrefix = {arXiv}
}""",
    "ddpm": """@inproceedings{ho2020denoising,
  title = {Denoising Diffusion Probabilistic Models},
  author = {Ho, Jonathan and Jain, Ajay and Abbeel, Pieter},
  booktitle = {Advances in Neural Information Processing Systems},
  year = {2020}, eprint = {2006.11239}, archivePrefix = {arXiv}
}""",
    "velocity": """@inproceedings{salimans2022progressive,
  title = {Progressive Distillation for Fast Sampling of Diffusion Models},
  author = {Salimans, Tim and Ho, Jonathan},
  booktitle = {International Conference on Learning Representations},
  year = {2022}, eprint = {2202.00512}, archivePrefix = {arXiv}
}""",
    "flow": """@inproceedings{lipman2023flow,
  title = {Flow Matching for Generative Modeling},
  author = {Lipman, Yaron and Chen, Ricky T. Q. and Ben-Hamu, Heli and Nickel, Maximilian and Le, Matt},
  booktitle = {International Conference on Learning Representations},
  year = {2023}, eprint = {2210.02747}, archivePrefix = {arXiv}
}""",
}


def citations(recipe: Recipe) -> list[str]:
    """BibTeX entries for the theory and for the parts of this recipe that are others' work."""
    objective = recipe.objective
    used = {"theory", *objective.papers, *recipe.sampler.papers}
    if isinstance(objective.density, LogNormal) or objective.weight == "edm":
        used.add("edm")
    return [PAPERS[name] for name in sorted(used, key=list(PAPERS).index)]
