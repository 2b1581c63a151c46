"""Which pictures there are in a folder or a zip archive, in which order, of which class, and what is left out."""

import io
import json
import os
import re
import stat
import sys
import zipfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from ..checks import InputError, integer, need_memory

LABELS = "dataset.json"
"""EDM's file of labels: {"labels": [["00000/img00000000.png", 3], …]}."""

UNDECODED = {"BUFR", "EPS", "GRIB", "HDF5", "MPEG", "WMF", "PDF"}
"""Formats that Pillow only names, or gives to other programs to draw."""

FRAMED = {".gif", ".tif", ".tiff", ".webp", ".apng", ".avif", ".avifs", ".fli", ".flc"}
"""Formats of which every file is looked into for its frames or pages."""

MOST_CLASSES = 10**5
"""Largest label."""

LISTED = 4
"""Kinds of files left out that are named."""


@dataclass(frozen=True)
class ImageFile:
    """A picture: the file `name` of a folder or an archive, and which of its frames."""

    name: str
    frame: int = 0

    def __str__(self) -> str:
        return self.name if not self.frame else f"{self.name} (frame {self.frame})"


@dataclass(frozen=True, eq=False)
class ImageFiles:
    """The pictures of a folder or an archive.

    `files`: in the order of their names; `seen`: files there are; `left_out`: how many of which kind are not read; `labels`,
    `classes`: (n,) whole numbers, and the name of each, where there are classes.
    """

    root: Path
    files: tuple[ImageFile, ...]
    seen: int
    left_out: dict[str, int]
    labels: Any = None
    classes: tuple[str, ...] = ()

    @property
    def is_split(self) -> bool:
        """Whether its first folders are those of a split into training and held-out pictures, not classes."""
        return self.root.is_dir() and "train" in {
            file.name.split("/", 1)[0].lower() for file in self.files if "/" in file.name
        }

    def __str__(self) -> str:
        """One line: how many pictures of how many files, and what is left out."""
        parts = [f"{count:,} {kind}" for kind, count in sorted(self.left_out.items(), key=lambda one: -one[1])]
        more = f", and {len(parts) - LISTED} other kinds" if len(parts) > LISTED else ""
        left = f"; left out: {', '.join(parts[:LISTED])}{more}" if parts else ""
        return f"{len(self.files):,} pictures of {self.seen:,} files{left}"

    @cached_property
    def _archive(self) -> zipfile.ZipFile:
        return zipfile.ZipFile(self.root)

    def content(self, file: ImageFile) -> Any:
        """An open stream of a file."""
        if self.root.is_dir():
            return (self.root / file.name).open("rb")
        need_memory(f"{self.root}:{file.name}", self._archive.getinfo(file.name).file_size)
        return io.BytesIO(self._archive.read(file.name))

    @contextmanager
    def opened(self, file: ImageFile, most: int) -> Iterator[Any]:
        """A picture that Pillow has opened, at its first frame; InputError with the file's name for all that Pillow may raise."""
        from PIL import Image

        limit = Image.MAX_IMAGE_PIXELS
        Image.MAX_IMAGE_PIXELS = None  # its own limit warns and raises without a file's name
        try:
            with self.content(file) as stream, Image.open(stream) as opened:
                pixels = opened.size[0] * opened.size[1]
                if pixels > most:
                    raise InputError(
                        f"{self.root / file.name} has {pixels / 1e6:,.0f} million pixels, more than max_pixels = {most:,}: "
                        f"shrink it first, or set max_pixels={pixels}"
                    )
                yield opened
        except (InputError, MemoryError):
            raise
        except Exception as error:  # OSError, SyntaxError, ValueError, struct.error and others
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            reason = re.sub(r" <_io\.[^>]*>?", "", reason)  # what Pillow was handed, as Python shows it
            raise InputError(f"unreadable image: {self.root / file.name} ({reason})") from None
        finally:
            Image.MAX_IMAGE_PIXELS = limit


def extensions() -> set[str]:
    """Every extension that Pillow reads."""
    from PIL import Image

    Image.init()
    return {
        name for name, kind in Image.registered_extensions().items() if kind in Image.OPEN and kind not in UNDECODED
    }


def find_images(root: Path) -> ImageFiles:
    """The pictures of a folder, read recursively, or of a zip archive; links are followed, each place once."""
    known, left_out = extensions(), Counter[str]()
    names = list(_of_folder(root, left_out) if root.is_dir() else _of_archive(root, left_out))
    seen = len(names) + sum(left_out.values())
    pictures = []
    for name in names:
        suffix = PurePosixPath(name).suffix.lower()
        if suffix in known:
            pictures.append(name)
        elif PurePosixPath(name).name != LABELS:
            left_out[f"{suffix or 'without an extension'}"] += 1
    pictures.sort(key=lambda name: PurePosixPath(name).parts)
    files = ImageFiles(root, tuple(map(ImageFile, pictures)), seen, dict(left_out))
    files = ImageFiles(root, tuple(_frames(files)), seen, dict(left_out))
    labels, classes = _labels(files, LABELS in names)
    return ImageFiles(root, files.files, seen, dict(left_out), labels, classes)


def _hidden(parts: tuple[str, ...]) -> bool:
    return any(part.startswith(".") or part == "__MACOSX" for part in parts)


def _of_folder(root: Path, left_out: Counter[str]) -> Iterator[str]:
    """Names of the ordinary files of a folder: what lies there first, then what only links lead to."""
    folders, linked = [root], list[Path]()
    been, seen = set[tuple[int, int]](), set[tuple[int, int]]()
    links: list[tuple[str, tuple[int, int]]] = []
    while folders or linked:
        folder = folders.pop() if folders else linked.pop()
        try:
            place = os.stat(folder)
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError as error:
            raise InputError(f"cannot read {folder}: {error.strerror or error}") from None
        if (place.st_dev, place.st_ino) in been:
            left_out["links to what is read already"] += 1
            continue
        been.add((place.st_dev, place.st_ino))
        for entry in entries:
            if _hidden((entry.name,)):
                left_out["hidden"] += 1
                continue
            try:
                found = os.stat(entry.path)
            except OSError:
                left_out["links to nothing"] += 1
                continue
            name, key = Path(entry.path).relative_to(root).as_posix(), (found.st_dev, found.st_ino)
            if stat.S_ISDIR(found.st_mode):
                (linked if entry.is_symlink() else folders).append(Path(entry.path))
            elif not stat.S_ISREG(found.st_mode):
                raise InputError(f"images must be ordinary files, got {entry.path}, which is a pipe or a device")
            elif entry.is_symlink():
                links.append((name, key))
            else:
                seen.add(key)
                yield name
    for name, key in sorted(links):
        if key in seen:
            left_out["links to what is read already"] += 1
        else:
            seen.add(key)
            yield name


def _of_archive(root: Path, left_out: Counter[str]) -> Iterator[str]:
    try:
        with zipfile.ZipFile(root) as archive:
            inside = archive.infolist()
    except Exception as error:  # zipfile has many words for a damaged archive
        raise InputError(f"not a readable zip archive: {root} ({error})") from None
    for one in inside:
        if one.is_dir():
            continue
        if _hidden(PurePosixPath(one.filename).parts):
            left_out["hidden"] += 1
        else:
            yield one.filename


def _frames(files: ImageFiles) -> Iterator[ImageFile]:
    """Every frame of every file that can have several."""
    for file in files.files:
        count = 1
        if PurePosixPath(file.name).suffix.lower() in FRAMED:
            with files.opened(file, most=sys.maxsize) as opened:
                count = int(getattr(opened, "n_frames", 1))
        yield from (ImageFile(file.name, frame) for frame in range(count))


def _labels(files: ImageFiles, listed: bool) -> tuple[Any, tuple[str, ...]]:
    """Classes by EDM's list, or by the first folder of every picture."""
    if listed:
        known = _listed(files)
        if known is not None:
            return known
    if not files.root.is_dir() or any("/" not in file.name for file in files.files):
        return None, ()
    first = [file.name.split("/", 1)[0] for file in files.files]
    classes = sorted(set(first))
    if len(classes) < 2 or files.is_split:
        return None, ()
    return np.array([classes.index(name) for name in first]), tuple(classes)


def _listed(files: ImageFiles) -> tuple[Any, tuple[str, ...]] | None:
    """Labels of EDM's dataset.json; None if it has none."""
    try:
        with files.content(ImageFile(LABELS)) as stream:
            labels = json.loads(stream.read().decode("utf-8"))["labels"]
        if labels is None:
            return None
        of = {str(name): integer("label", label, at_least=0, at_most=MOST_CLASSES) for name, label in labels}
        found = np.array([of[file.name] for file in files.files])
    except MemoryError:
        raise
    except Exception as error:  # JSON of another shape, or a picture that is not listed
        reason = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
        raise InputError(f"{LABELS} must list a whole label for every picture of {files.root} ({reason})") from None
    return found, tuple(str(label) for label in range(int(found.max(initial=-1)) + 1))
