"""Data: bundled real images, arrays, image folders and IDX files, as one `DataSet`."""

from .bundled import BUNDLED, digits, faces, natural_patches
from .dataset import DataSet
from .labelled import Labelled, load_labelled
from .reading import load

__all__ = ["BUNDLED", "DataSet", "Labelled", "digits", "faces", "load", "load_labelled", "natural_patches"]
