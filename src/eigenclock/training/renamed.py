"""What version 0.1.0 called MLP is NormedMLP now: how its configs, checkpoints and flags are read."""

import re
from typing import Any

from ..checks import say

OWN = ("blocks", "embedding")
"""Options by which the earlier MLP is known: the network that has this name now has neither."""

COMMANDS, WIDTH = ("run", "train"), 512
"""Commands that had this network, of this width, by default."""

FORMER = re.compile(r"(eigenclock\.(\w+\.)*)?MLP")
OPTION = re.compile(rf"--network\.(init_args\.)?({'|'.join(OWN)})(=.*)?")


def renamed(value: Any) -> Any:
    """A config, or a part of one, with its networks under the names that they have now; says so where it changes one."""
    if isinstance(value, list):
        return [renamed(one) for one in value]
    if not isinstance(value, dict):
        return value
    found = {key: renamed(one) for key, one in value.items()}
    name, options = found.get("class_path"), found.get("init_args", found.get("dict_kwargs"))
    if isinstance(name, str) and FORMER.fullmatch(name) and isinstance(options, dict) and set(OWN) & set(options):
        found["class_path"] = _told("eigenclock.NormedMLP")
    return found


def renamed_words(words: list[str]) -> list[str]:
    """The words of a call, `--network MLP --network.blocks 3` among them, likewise; without a network it was MLP, 512 wide."""
    if not any(OPTION.fullmatch(word) for word in words):
        return words
    names = {word.partition("=")[0] for word in words}
    if not {"--network", "--config"} & names and words[0] in COMMANDS:
        return [words[0], f"--network={_told('NormedMLP')}", f"--network.width={WIDTH}", *words[1:]]
    found = list(words)
    for i, word in enumerate(words):
        if word.startswith("--network=") and FORMER.fullmatch(word.partition("=")[2]):
            found[i] = f"--network={_told('NormedMLP')}"
        elif i and words[i - 1] == "--network" and FORMER.fullmatch(word):
            found[i] = _told("NormedMLP")
    return found


def renamed_settings(kept: dict[str, Any]) -> dict[str, Any]:
    """The settings of a checkpoint, its network written as that of version 0.1.0 is now."""
    settings = kept.get("settings")
    text = settings.get("network") if isinstance(settings, dict) else None
    if not isinstance(text, str) or not text.startswith("MLP(") or "blocks=" not in text:
        return kept
    return {**kept, "settings": {**kept["settings"], "network": f"Normed{text}"}}


def _told(name: str) -> str:
    say("MLP with blocks is read as NormedMLP, as version 0.1.0's is called now; MLP is the paper's own chain", level=4)
    return name
