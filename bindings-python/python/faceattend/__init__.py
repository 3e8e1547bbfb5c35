"""Who is in front of the camera, and is it a living person?

>>> import faceattend
>>> [face] = faceattend.analyze("examples/media/hopper/left.jpg")     # doctest: +SKIP
>>> face.bbox, face.pose, face.embedding                              # doctest: +SKIP

`detect`, `analyze` and `embed` use one engine for the whole process, made with the defaults. `configure` makes another
one; `Engine` is for programs that want several. Each process loads its models at its first frame, so a server may
import this module before it forks.

Every similarity and threshold is in [0, 1]. The documented threshold is 0.7, whichever model runs.

| module | what |
|---|---|
| `faceattend.aio` | the same calls for asyncio |
| `faceattend.errors` | what the calls raise |
| `faceattend.models` | model packs: list, fetch, check |
| `faceattend.types` | names for annotations |
| `faceattend.contrib.django` | the Django app |
| `faceattend.compat` | the names of an existing engine |
"""

from __future__ import annotations

import importlib
import threading
import warnings
from typing import TYPE_CHECKING, Any, Optional

from . import _native, errors, models
from ._native import (
    AttendanceBook,
    AttendancePolicy,
    AttendanceRecord,
    CameraProblem,
    DayPlan,
    Embedding,
    Engine,
    Erasure,
    Face,
    Frame,
    Gallery,
    Identification,
    LivenessSession,
    Marking,
    Match,
    Merged,
    Outcome,
    Pose,
    Quality,
    Receipt,
    ReceiptKey,
    Recognition,
    RecognizedFace,
    Recognizer,
    RosterDays,
    RosterEntry,
    Rosters,
    SecondLook,
    SecondLooking,
    Sighting,
    StatusCounts,
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
    from typing_extensions import TypeAlias

    from . import aio, types
    from .types import Color, Corners, Depth, Picture, Selection

    HAS_OPENCV: bool

    # Deprecated names of earlier versions; `__getattr__` warns about them.
    Recogniser: TypeAlias = Recognizer
    RecognisedFace: TypeAlias = RecognizedFace

__all__ = [
    "HAS_OPENCV",
    "AttendanceBook",
    "AttendancePolicy",
    "AttendanceRecord",
    "Camera",
    "CameraError",
    "CameraProblem",
    "ConflictError",
    "DayPlan",
    "DownloadError",
    "Embedding",
    "Engine",
    "Erasure",
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
    "Merged",
    "ModelError",
    "ModelMismatchError",
    "NotFoundError",
    "Outcome",
    "Pose",
    "Quality",
    "Receipt",
    "ReceiptKey",
    "Recognition",
    "RecognizedFace",
    "Recognizer",
    "RosterDays",
    "RosterEntry",
    "Rosters",
    "RuntimeLibraryError",
    "SecondLook",
    "SecondLooking",
    "Sighting",
    "StateError",
    "StatusCounts",
    "Store",
    "StoreError",
    "Student",
    "Verification",
    "__version__",
    "aio",
    "analyze",
    "configure",
    "decode_image",
    "default_engine",
    "detect",
    "embed",
    "errors",
    "models",
    "similarity",
    "types",
]

# Names of earlier versions, and what they are called now.
_RENAMED = {"Recogniser": "Recognizer", "RecognisedFace": "RecognizedFace"}


def __getattr__(name: str) -> Any:
    # Loaded when they are used: programs without asyncio or annotations need not wait for them.
    if name in ("aio", "types"):
        return importlib.import_module(f"{__name__}.{name}")
    # OpenCV is large, and only cameras need it.
    if name == "HAS_OPENCV":
        return _native.has_opencv()
    current = _RENAMED.get(name)
    if current is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    warnings.warn(f"faceattend.{name} is deprecated: use faceattend.{current}", DeprecationWarning, stacklevel=2)
    return globals()[current]


_lock = threading.Lock()
_engine: Optional[Engine] = None


def configure(**options: Any) -> Engine:
    """Makes the engine that `detect`, `analyze` and `embed` use from now on, and returns it.

    Parameters
    ----------
    **options
        Those of `Engine`.

    Examples
    --------
    >>> engine = faceattend.configure(threads=2, antispoof="off")
    """
    global _engine
    engine = Engine(**options)
    with _lock:
        _engine = engine
    return engine


def default_engine() -> Engine:
    """Returns the engine that `detect`, `analyze` and `embed` use.

    It is made at its first use, and loaded at its first frame.
    """
    global _engine
    engine = _engine
    if engine is None:
        with _lock:
            if _engine is None:
                _engine = Engine()
            engine = _engine
    return engine


def detect(frame: Picture, *, color: Color = "bgr", region: Optional[Corners] = None) -> list[Face]:
    """Returns the faces of a frame: boxes, scores and, from most detectors, points. See `Engine.detect`.

    >>> [face.bbox for face in faceattend.detect("class.jpg")]           # doctest: +SKIP
    """
    return default_engine().detect(frame, color=color, region=region)


def analyze(
    frame: Picture,
    *,
    color: Color = "bgr",
    depth: Depth = "antispoof",
    selection: Selection = "all",
    region: Optional[Corners] = None,
) -> list[Face]:
    """Returns the faces of a frame, each taken as far as ``depth`` says. See `Engine.analyze`.

    >>> [(face.pose, face.quality) for face in faceattend.analyze("class.jpg", depth="pose")]   # doctest: +SKIP
    """
    return default_engine().analyze(frame, color=color, depth=depth, selection=selection, region=region)


def embed(frame: Picture, *, color: Color = "bgr", region: Optional[Corners] = None) -> Optional[Embedding]:
    """Returns the embedding of the largest face, or ``None`` when there is no face. See `Engine.embed`.

    >>> a, b = faceattend.embed("left.jpg"), faceattend.embed("center.jpg")   # doctest: +SKIP
    >>> a.similarity(b) >= 0.7                                          # doctest: +SKIP
    True
    """
    return default_engine().embed(frame, color=color, region=region)
