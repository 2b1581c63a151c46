"""How jsonargparse reads values and config files here: plain YAML, without aliases (`files.load_yaml`)."""

from typing import Any

import jsonargparse

MODE = "plain_yaml"
"""Name of the mode."""


def _load(text: str) -> Any:
    """A value or a file; what is no YAML is left to be taken as text."""
    import yaml

    from ..checks import InputError
    from ..files import YamlRefused, load_yaml
    from ..training.renamed import renamed

    try:
        value = renamed(load_yaml(text, "value"))
    except YamlRefused:
        raise
    except InputError as error:
        raise yaml.YAMLError(str(error)) from None
    if isinstance(value, dict) and value and all(one is None for one in value.values()):
        return text if set(text.strip(" {}").replace(" ", "").split(",")) == set(value) else value
    return value


def refused(error: BaseException | None) -> BaseException | None:
    """The refusal of YAML that is behind an error, if one is."""
    from ..files import YamlRefused

    while error is not None and not isinstance(error, YamlRefused):
        error = error.__cause__ or error.__context__
    return error


jsonargparse.set_loader(MODE, _load, exceptions=(Exception,))
