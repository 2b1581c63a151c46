"""Data: bundled real images, arrays, image folders and IDX files, as one `DataSet`."""

from .bundled import BUNDLED as BUNDLED, digits as digits, faces as faces, natural_patches as natural_patches
from .dataset import DataSet as DataSet
from .labelled import Labelled as Labelled, load_labelled as load_labelled
from .reading import load as load
