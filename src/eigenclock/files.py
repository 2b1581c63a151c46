"""Writing files so that a reader, a full disk or a crash never sees half of one; folders that one process has at a time."""

import hashlib
import os
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from .checks import InputError, shown

if TYPE_CHECKING:
    import xarray as xr


NO_PATHS = {"", "null", "None", "~", "[]", "{}"}
"""What a variable that was not set, or a value of YAML that is none, leaves where a path should be."""


def path_of(name: str, value: Any) -> Path:
    """A path; InputError for anything else, an empty one, or one that no file system takes."""
    try:
        path = Path(value)
        path.exists()
        if "\0" in str(path):
            raise ValueError("a null byte")
    except (TypeError, ValueError, OSError) as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise InputError(f"{name} must be a path, got {shown(value)} ({reason})") from None
    if str(value).strip() in NO_PATHS:
        raise InputError(f"{name} must be a path, got {str(value).strip() or 'an empty one'}")
    return path


@contextmanager
def atomic(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path in the same folder; rename it to `path` on success, remove it on failure.

    Whatever the disk refuses, in the caller's block too, is an InputError that names `path`.
    """
    target = path_of("path", path)
    with _refused(target):
        _check_ordinary(target)
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:100]}.", suffix=target.suffix[:20])
        os.close(handle)
        temporary = Path(name)
        try:
            yield temporary
            temporary.chmod(0o666 & ~_umask())
            temporary.replace(target)
        finally:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)


@contextmanager
def _refused(target: Path) -> Iterator[None]:
    """What a disk refuses, as an InputError."""
    try:
        yield
    except OSError as error:
        raise InputError(f"cannot write {target}: {error.strerror or error}") from None
    except Exception as error:
        if type(error).__name__ != "SafetensorError":  # safetensors says so in an exception of its own
            raise
        raise InputError(f"cannot write {target}: {str(error).splitlines()[0]}") from None


def _check_ordinary(target: Path) -> None:
    if target.exists() and not target.is_file():
        raise InputError(f"cannot write {target}: it is a {'folder' if target.is_dir() else 'device or a pipe'}")


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current


def remove_temporaries(folder: Path) -> None:
    """Remove what killed writes of `atomic` left in a folder and below it."""
    for file in folder.rglob(".*"):
        if LEFT_BEHIND.fullmatch(file.name) and file.is_file():
            file.unlink(missing_ok=True)


LEFT_BEHIND = re.compile(r"\..+(?P<suffix>\.\w{1,19})\.[a-z0-9_]{8}(?P=suffix)")
"""Names of the temporary files of `atomic`."""


def check_writable(path: str | Path) -> None:
    """Raise, before any work is done for it, if a file could not be written at `path`."""
    target = path_of("path", path)
    with _refused(target):
        _check_ordinary(target)
        folder = next(parent for parent in (target.absolute(), *target.absolute().parents) if parent.is_dir())
        with tempfile.TemporaryFile(dir=folder):
            pass
        if len(os.fsencode(target.name)) > 255:
            raise InputError(f"cannot write {target.name[:40]}…: File name too long")


def write_text(path: str | Path, text: str) -> None:
    """Write a text file atomically, UTF-8."""
    with atomic(path) as temporary:
        temporary.write_text(text, encoding="utf-8", errors="surrogateescape")


def append_text(path: Path, text: str) -> None:
    """Append whole lines to a text file; InputError where the disk refuses."""
    with _refused(path), path.open("a", encoding="utf-8") as stream:
        stream.write(text)


def read_text(path: str | Path, what: str) -> str:
    """A UTF-8 text file; InputError, naming `what` it should be, where it is none."""
    try:
        return Path(path).read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        reason = "not UTF-8" if isinstance(error, UnicodeDecodeError) else getattr(error, "strerror", None) or error
        raise InputError(f"{what} must be a UTF-8 text file, got {path} ({reason})") from None


def write_netcdf(path: str | Path, dataset: "xr.Dataset") -> None:
    """Write NetCDF atomically, by way of memory: the HDF5 library must never meet a full disk, which it does not survive.

    A digest follows the content, where HDF5 does not look: a damaged file is known before HDF5, which it can hang, sees it.
    """
    # in a task of dask.distributed xarray would ask the whole cluster for a lock on these bytes
    with sys.modules["dask"].config.set(scheduler="sync") if "distributed" in sys.modules else nullcontext():
        content = bytes(dataset.to_netcdf(None, engine="h5netcdf"))
    with atomic(path) as temporary:
        temporary.write_bytes(content + TRAILER + hashlib.sha256(content).hexdigest().encode())


TRAILER = b"eigenclock sha256 "
"""What stands before the digest at the end of a NetCDF file of ours; files of version 0.1.0 have none."""


def _check_digest(file: Path, what: str) -> None:
    """Raise if a file ends in a digest that is not its own, or in anything else that HDF5 did not write."""
    content = file.read_bytes()
    body, mark, digest = content.rpartition(TRAILER)
    known = hashlib.sha256(body).hexdigest().encode() == digest if mark else _hdf5_end(content) == len(content)
    if content.startswith(b"\x89HDF") and not known:
        raise InputError(f"not a readable {what}: {file} (damaged: its bytes are not those that were written)")


def _hdf5_end(content: bytes) -> int:
    """Length of an HDF5 file as its superblock has it."""
    at = 40 if content[8:9] < b"\2" else 28
    return int.from_bytes(content[at : at + 8], "little")


def read_netcdf(path: str | Path, what: str) -> "xr.Dataset":
    """A NetCDF file of ours, all of it in memory; InputError for anything else, also one that declares more than it holds."""
    import h5py  # type: ignore[import-untyped]
    import xarray as xr

    file = regular_file(path, what)
    try:
        _check_digest(file, what)
        with h5py.File(file, "r") as opened:
            _check_declared(opened, file.stat().st_size)
        with xr.open_dataset(file, engine="h5netcdf") as opened:
            return opened.load()
    except InputError:
        raise
    except Exception as error:  # HDF5, h5netcdf and xarray have many words for a damaged file
        reason = (str(error).splitlines() or [type(error).__name__])[0] or type(error).__name__
        raise InputError(f"not a readable {what}: {file} ({reason})") from None


INFLATED = 1100
"""Most that deflate can expand bytes, and some."""


def _check_declared(opened: Any, size: int) -> None:
    """Raise if arrays of an HDF5 file claim more bytes than the file can hold."""

    def look(name: str, item: Any) -> None:
        declared = int(getattr(item, "nbytes", 0) or 0)
        if hasattr(item, "chunks") and declared > size * (1 if item.compression is None else INFLATED) + 2**20:
            raise ValueError(f"{name} declares {declared:,} bytes in a file of {size:,}")

    opened.visititems(look)


def regular_file(path: str | Path, what: str) -> Path:
    """The path of an ordinary file; InputError if it is missing, a folder, or a pipe or device, which could wait for ever."""
    file = path_of(what, path)
    if not file.exists():
        raise InputError(f"{what} not found: {file}")
    if not file.is_file():
        raise InputError(f"{what} must be an ordinary file, got {file}, which is a folder, a pipe or a device")
    return file


@contextmanager
def locked(folder: str | Path) -> Iterator[None]:
    """Hold a folder, made if it is not there, against other processes; InputError if one of them has it.

    The lock is the kernel's: it ends with the process, however that ends, and leaves no file. Where a file system has no locks
    nothing is held. A folder made here that stays empty is taken away again.
    """
    if (place := path_of("out", folder)).exists() and not place.is_dir():
        raise InputError(f"out must be a folder, got {place}, which is a file")
    new = [one for one in (place, *place.parents) if not one.exists()]
    with suppress(OSError):  # the first file that is written there says why it cannot be
        place.mkdir(parents=True, exist_ok=True)
    handle = _take(place) if place.is_dir() else None
    try:
        yield
    finally:
        for one in new:
            with suppress(OSError):
                one.rmdir()
        if handle is not None:
            os.close(handle)


def _take(folder: Path) -> int | None:
    try:
        import fcntl
    except ImportError:  # Windows has no locks on folders
        return None
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError as error:
        raise InputError(f"cannot open {folder}: {error.strerror or error}") from None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise InputError(f"{folder} is in use by another process: wait for it, or take another folder") from None
    except OSError:
        os.close(handle)
        return None
    return handle


WHOLE = re.compile(r"[-+]?[0-9]+[eE]\+?[0-9]+")

LONGEST_YAML = 2**20
"""Characters of the longest YAML that is read."""


class YamlRefused(InputError):
    """YAML, but of a kind that is not read: aliases, keys given twice, text that is too long."""


def load_yaml(text: str, what: str) -> Any:
    """What YAML text says; InputError, naming `what` it is, for text that is none.

    Plain values, lists and mappings only. Aliases, with which a few lines can stand for more than any memory holds, and keys
    given twice, of which one would be lost, are refused. 1e3 is a number, as in every other language.
    """
    import yaml

    if len(text) > LONGEST_YAML:
        raise YamlRefused(f"{what} must be at most {LONGEST_YAML:,} characters of YAML, got {len(text):,}")
    try:
        return yaml.load(text, Loader=_plain_loader())  # noqa: S506  (a SafeLoader)
    except YamlRefused as error:
        raise YamlRefused(f"{what}: {error}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        reason = " ".join(str(error).split()) if not isinstance(error, RecursionError) else "nested too deeply"
        raise InputError(f"{what} must be YAML, got text that is not ({reason[:200]})") from None


@cache
def _plain_loader() -> Any:
    import yaml

    class Plain(yaml.SafeLoader):
        def compose_node(self, parent: Any, index: Any) -> Any:
            if self.check_event(yaml.events.AliasEvent):
                raise YamlRefused("aliases (*name) are not read: write the value out")
            return super().compose_node(parent, index)

        def construct_mapping(self, node: Any, deep: bool = False) -> Any:
            found = super().construct_mapping(node, deep=deep)
            if len(found) < len(node.value):
                keys = [key.value for key, _ in node.value]
                twice = next((key for key in keys if keys.count(key) > 1), keys[0])
                raise YamlRefused(f"a key must be given once, got {shown(twice)} twice")
            return found

    Plain.yaml_implicit_resolvers = {
        letter: [one for one in found if one[0] not in ("tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:float")]
        for letter, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    number = r"[-+]?(?:[0-9][0-9_]*\.[0-9_]*(?:[eE][-+]?[0-9]+)?|[0-9][0-9_]*[eE][-+]?[0-9]+|\.[0-9][0-9_]*(?:[eE][-+]?[0-9]+)?)"
    special = r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
    Plain.add_implicit_resolver(
        "tag:yaml.org,2002:float", re.compile(f"^(?:{number}|{special})$"), list("-+0123456789.")
    )
    Plain.add_constructor("tag:yaml.org,2002:float", _number)
    return Plain


def _number(loader: Any, node: Any) -> float | int:
    """A float; a whole number where it is written as one, 1e3."""
    value = float(loader.construct_yaml_float(node))
    return int(value) if WHOLE.fullmatch(node.value) and abs(value) < 2**53 else value


def flat(nested: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested settings by dotted names."""
    parts = (flat(v, f"{prefix}{k}.") if isinstance(v, Mapping) else {f"{prefix}{k}": v} for k, v in nested.items())
    return {key: value for part in parts for key, value in part.items()}


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """Which settings differ, and how: "steps was 10, now 20"; empty if none does."""
    first, second = flat(old), flat(new)
    keys = sorted(key for key in first.keys() | second.keys() if first.get(key) != second.get(key))
    return ", ".join(f"{key} was {first.get(key)}, now {second.get(key)}" for key in keys)


def markdown(table: pd.DataFrame) -> str:
    """A GitHub-flavoured Markdown table; numbers to three digits, vertical bars escaped."""
    header = "| " + " | ".join(str(name).replace("_", " ") for name in table.columns) + " |"
    rule = (
        "|" + "|".join("---:" if pd.api.types.is_numeric_dtype(table[name]) else "---" for name in table.columns) + "|"
    )
    rows = ["| " + " | ".join(_cell(value) for value in row) + " |" for row in table.itertuples(index=False)]
    return "\n".join([header, rule, *rows])


def _cell(value: object) -> str:
    text = f"{value:.3g}" if isinstance(value, float) else str(value)
    return text.replace("|", "\\|").replace("\n", " ")
