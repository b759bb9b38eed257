"""Frames of a CAN bus, such as that of a vehicle: who wrote them, and the features of each."""

from outlearn.data.kinds.bus.features import BUS_FEATURES, IDENTITY, SURROUNDING
from outlearn.data.kinds.bus.forms import frame_columns, holds_frames
from outlearn.data.kinds.bus.view import ASIDE, bus_schema, bus_view, bus_words

__all__ = [
    "ASIDE",
    "BUS_FEATURES",
    "IDENTITY",
    "SURROUNDING",
    "bus_schema",
    "bus_view",
    "bus_words",
    "frame_columns",
    "holds_frames",
]
