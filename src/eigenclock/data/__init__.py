"""Data: bundled real images, arrays, image folders and IDX files, as one `DataSet`."""

from .bundled import BUNDLED, digits, faces, natural_patches
from .dataset import DataSet
from .load import load

__all__ = ["BUNDLED", "DataSet", "digits", "faces", "load", "natural_patches"]
