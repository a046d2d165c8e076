"""The shapes data comes in, from a folder, a zip, torchvision, or drawn by the studio itself (``toy``)."""

from studio.data.base import DataSet, Stream, hold_out
from studio.data.classes import Classes
from studio.data.domains import TwoDomains
from studio.data.files import Files
from studio.data.labelled import Labelled, Labels, labels_of
from studio.data.pairs import Pairs
from studio.data.pictures import Images
from studio.data.points import Points, TwoClouds
from studio.data.segmentations import Segmentations
from studio.data.styles import Styles

__all__ = [
    "Classes", "DataSet", "Files", "Images", "Labelled", "Labels", "Pairs", "Points", "Segmentations", "Stream",
    "Styles", "TwoClouds", "TwoDomains", "hold_out", "labels_of",
]  # fmt: skip
