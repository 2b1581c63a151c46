"""Models in one file: a safetensors archive of tensors, with the class, its options and its facts as JSON. No pickles."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from ..checks import InputError
from ..files import atomic
from .checkpoints import DIGEST, digest_of

FORMAT, VERSION = "eigenclock model", 1


class ModelFileError(InputError):
    """A file that does not hold the model asked for."""


def write_model(path: str | Path, kind: str, details: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
    """Write a model of a class atomically; InputError where its folder cannot be written."""
    target = Path(path)
    if not target.parent.is_dir():
        raise InputError(f"path must lie in a folder that exists, got {path}")
    stored = {key: value.detach().cpu().contiguous().clone() for key, value in tensors.items()}
    content = json.dumps({"version": VERSION, "class": kind, DIGEST: digest_of(stored), **details}, sort_keys=True)
    with atomic(target) as temporary:
        save_file(stored, temporary, metadata={FORMAT: content})


def read_model(path: str | Path, kind: str) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Details and tensors of a model of this class; ModelFileError for anything else."""
    if not Path(path).is_file():
        raise ModelFileError(f"model file not found: {path}")
    try:
        with safe_open(path, framework="pt") as opened:
            metadata = opened.metadata() or {}
            if FORMAT not in metadata:
                raise ModelFileError(f"model file must hold a {kind}, got {path}, which no eigenclock wrote")
            details = json.loads(metadata[FORMAT])
            if details["version"] > VERSION:
                raise ModelFileError(
                    f"model file must be of format {VERSION} or older, got {details['version']} in {path}: update eigenclock"
                )
            if details["class"] != kind:
                raise ModelFileError(f"model file must hold a {kind}, got a {details['class']} in {path}")
            tensors = {key: opened.get_tensor(key) for key in opened.keys()}  # noqa: SIM118
            if details.pop(DIGEST, None) not in (None, digest_of(tensors)):  # older ones have none
                raise ValueError("its numbers are not those that were written")
            return details, tensors
    except ModelFileError:
        raise
    except Exception as error:  # safetensors, JSON and torch have many words for a damaged file
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise ModelFileError(
            f"model file must be a whole safetensors file, got {path} ({reason}); pickled files are never loaded"
        ) from None


def load_state(module: torch.nn.Module, tensors: Mapping[str, Tensor], prefix: str, path: str | Path) -> None:
    """Put the tensors under a prefix into a module; ModelFileError where they are not its own."""
    state = {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}
    try:
        module.load_state_dict(state)
    except RuntimeError:
        raise ModelFileError(f"model file must hold weights that fit its options, got others in {path}") from None
