"""The shapes data comes in, from a folder, a zip, torchvision, or drawn by the studio itself (``toy``)."""

from studio.data.base import DataSet, Stream, hold_out
from studio.data.files import Files
from studio.data.pairs import Pairs
from studio.data.pictures import Images
from studio.data.segmentations import Segmentations

__all__ = ["DataSet", "Files", "Images", "Pairs", "Segmentations", "Stream", "hold_out"]
