"""Who is in front of the camera, and is it a living person?

>>> import faceattend
>>> [face] = faceattend.analyze("examples/media/hopper/left.jpg")     # doctest: +SKIP
>>> face.bbox, face.pose, face.embedding                              # doctest: +SKIP

`detect`, `analyze` and `embed` use one engine for the whole process, made with the defaults; `configure` makes another,
and `Engine` is for programs that want several. Nothing is loaded before the first frame, in each process anew, so a server
may import this module before it forks.

The scale of every similarity and threshold is [0, 1], and 0.7 is the documented threshold, whichever model runs.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Optional

from . import errors, models
from ._native import (
    HAS_OPENCV,
    AttendanceBook,
    AttendancePolicy,
    AttendanceRecord,
    Embedding,
    Engine,
    Face,
    Frame,
    Gallery,
    Identification,
    LivenessSession,
    Marking,
    Match,
    Outcome,
    Pose,
    Quality,
    Recognizer,
    RecognizedFace,
    Recognition,
    Store,
    Student,
    Verification,
    __version__,
    decode_image,
    similarity,
)
from .camera import Camera
from .errors import (
    CameraError,
    ConflictError,
    DownloadError,
    FaceAttendError,
    FileError,
    InternalError,
    InvalidImageError,
    InvalidInputError,
    ModelError,
    ModelMismatchError,
    NotFoundError,
    RuntimeLibraryError,
    StateError,
    StoreError,
)

if TYPE_CHECKING:
    from ._native import Color, Corners, Depth, Picture, Selection

__all__ = [
    "HAS_OPENCV",
    "AttendanceBook",
    "AttendancePolicy",
    "AttendanceRecord",
    "Camera",
    "CameraError",
    "ConflictError",
    "DownloadError",
    "Embedding",
    "Engine",
    "Face",
    "FaceAttendError",
    "FileError",
    "Frame",
    "Gallery",
    "Identification",
    "InternalError",
    "InvalidImageError",
    "InvalidInputError",
    "LivenessSession",
    "Marking",
    "Match",
    "ModelError",
    "ModelMismatchError",
    "NotFoundError",
    "Outcome",
    "Pose",
    "Quality",
    "Recognizer",
    "RecognizedFace",
    "Recognition",
    "RuntimeLibraryError",
    "StateError",
    "Store",
    "StoreError",
    "Student",
    "Verification",
    "__version__",
    "analyze",
    "configure",
    "decode_image",
    "default_engine",
    "detect",
    "embed",
    "errors",
    "models",
    "similarity",
]

_lock = threading.Lock()
_engine: Optional[Engine] = None


def configure(**options: Any) -> Engine:
    """Makes the engine that `detect`, `analyze` and `embed` use from now on, and returns it.

    Parameters
    ----------
    **options
        Those of `Engine`.
    """
    global _engine
    engine = Engine(**options)
    with _lock:
        _engine = engine
    return engine


def default_engine() -> Engine:
    """The engine that `detect`, `analyze` and `embed` use. Made at its first use, loaded at its first frame."""
    global _engine
    engine = _engine
    if engine is None:
        with _lock:
            if _engine is None:
                _engine = Engine()
            engine = _engine
    return engine


def detect(frame: "Picture", *, color: "Color" = "bgr", region: "Optional[Corners]" = None) -> list[Face]:
    """The faces of a frame: boxes, scores and, from most detectors, points. See `Engine.detect`."""
    return default_engine().detect(frame, color=color, region=region)


def analyze(
    frame: "Picture",
    *,
    color: "Color" = "bgr",
    depth: "Depth" = "antispoof",
    selection: "Selection" = "all",
    region: "Optional[Corners]" = None,
) -> list[Face]:
    """The faces of a frame, taken as far as ``depth`` says. See `Engine.analyze`."""
    return default_engine().analyze(frame, color=color, depth=depth, selection=selection, region=region)


def embed(frame: "Picture", *, color: "Color" = "bgr", region: "Optional[Corners]" = None) -> Optional[Embedding]:
    """The embedding of the largest face, or ``None`` when there is no face. See `Engine.embed`."""
    return default_engine().embed(frame, color=color, region=region)
