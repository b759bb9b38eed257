"""Where all stages meet: from a source of rows to findings. The command line calls this room.

`detect` is the main job in one call; a `Monitor` is fitted once, kept, and judges one source after another.
"""

from outlearn.pipeline.detection import detect
from outlearn.pipeline.monitor import Monitor

__all__ = ["Monitor", "detect"]
