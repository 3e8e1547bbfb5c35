"""Names for annotations: what calls take, and the dictionaries that they return.

Importing this module is only needed for annotations. All coordinates are pixels of the frame, x to the right and y
down. All similarities, scores and thresholds are in [0, 1].

>>> from faceattend.types import FaceDict, Picture
>>> def describe(picture: Picture) -> list[FaceDict]:
...     return [face.to_dict() for face in faceattend.analyze(picture)]
"""

from __future__ import annotations

import os
from datetime import date, datetime
from pathlib import Path
from typing import Literal, Optional, Protocol, TypedDict, Union

import numpy as np
import numpy.typing as npt

from ._native import Frame
from ._roster_types import (
    ArrivalBinDict,
    ArrivalsDict,
    CalendarEntryDict,
    CalendarKind,
    DayKind,
    ExcuseDict,
    GroupDict,
    GroupKind,
    GroupSizeDict,
    GuardianDict,
    MembershipDict,
    PeriodDict,
    PlannedChangeDict,
    PlannedGroupDict,
    PlannedMembershipDict,
    PlannedStudentDict,
    RefusedChangeDict,
    RosterChanged,
    RosterEntryDict,
    RosterImportDict,
    RosterOutcomeDict,
    RosterPlanDict,
    RosterProblemDict,
    RosterStatus,
    RosterStudentDict,
    StatusCountsDict,
    TimetableVersionDict,
    UnlistedStudentDict,
    WithdrawalDict,
)

__all__ = [
    "AddedFileDict",
    "ArrivalBinDict",
    "ArrivalsDict",
    "AttendanceBy",
    "AttendanceRecordDict",
    "AttendanceSummaryDict",
    "CalendarEntryDict",
    "CalendarKind",
    "CameraHealthDict",
    "CameraProblemDict",
    "CameraState",
    "Color",
    "Corners",
    "Day",
    "DayKind",
    "Decision",
    "Depth",
    "EngineDict",
    "ErasureDict",
    "ExcuseDict",
    "FaceDict",
    "GalleryLoadDict",
    "Gate",
    "GroupDict",
    "GroupKind",
    "GroupSizeDict",
    "GuardianDict",
    "IdentificationDict",
    "Liveness",
    "Marks",
    "MatchDict",
    "MembershipDict",
    "MergedDict",
    "Moment",
    "Order",
    "OutcomeDict",
    "PackDict",
    "PassiveVerdict",
    "PathLike",
    "PeriodDict",
    "Picture",
    "PillowImage",
    "PlannedChangeDict",
    "PlannedGroupDict",
    "PlannedMembershipDict",
    "PlannedStudentDict",
    "PoseDict",
    "Position",
    "Provider",
    "QualityDict",
    "ReceiptDict",
    "RecognizedFaceDict",
    "RefusedChangeDict",
    "RosterChanged",
    "RosterEntryDict",
    "RosterImportDict",
    "RosterOutcomeDict",
    "RosterPlanDict",
    "RosterProblemDict",
    "RosterStatus",
    "RosterStudentDict",
    "SecondLookDict",
    "SecondLookState",
    "SecondLookVerdict",
    "Selection",
    "SightingDict",
    "Status",
    "StatusCountsDict",
    "StudentDict",
    "StudentsBy",
    "TimetableVersionDict",
    "UnlistedStudentDict",
    "VerificationDict",
    "WithdrawalDict",
]

Color = Literal["bgr", "rgb"]
"""The order of an array's channels."""
Depth = Literal["detection", "pose", "embedding", "antispoof"]
"""How far each face is taken; each level includes the ones before it."""
Selection = Literal["all", "largest", "most_central"]
"""Which faces are taken further than detection."""
Provider = Literal["cpu", "cuda", "tensorrt", "coreml", "directml", "openvino"]
"""What runs the models."""
Position = Literal["center", "left", "right", "up", "down"]
"""Where the head points. Left and right are the person's own. Only a session with `nods` asks for up and down."""
Order = Literal["any", "fixed", "random"]
"""In which order a liveness session asks for its positions."""
Status = Literal["PENDING", "IN_PROGRESS", "COMPLETED", "FAILED", "EXPIRED"]
"""Where a liveness session stands."""
PassiveVerdict = Literal["off", "not_run", "live", "spoof"]
"""What came of the passive antispoof check of a session."""
Decision = Literal["waiting", "unknown", "known"]
"""Whose face it is, as far as the views of it agree."""
Gate = Literal["off", "observe", "require", "ask"]
"""What is asked of a face before its person is marked: nothing; nothing, and it says what its views tell of life; that
they show a living person."""
Liveness = Literal["live", "undecided", "spoof"]
"""Whether the views of a face show a living person."""
CameraState = Literal["connecting", "running", "reconnecting", "stopped", "failed"]
"""What a camera is doing."""
Marks = Literal["delete", "anonymize"]
"""What becomes of the attendance of a student who is erased."""
SecondLookState = Literal["open", "confirmed", "refused", "settled"]
SecondLookVerdict = Literal["undecided", "spoof"]
Corners = tuple[float, float, float, float]
"""A box as (x1, y1, x2, y2)."""
Moment = Union[datetime, float]
"""A moment: a ``datetime`` (local time without a time zone), or seconds since 1970."""
StudentsBy = Literal["id", "name", "roll_number", "face"]
"""What students are ordered by. Face: who has none comes first."""
AttendanceBy = Literal["time", "name", "roll_number", "status", "similarity", "place"]
"""What marks are ordered by."""
Day = Union[date, str]
"""A day of the site: a ``date`` that is no ``datetime``, or a text such as ``2026-03-02``."""
PathLike = Union[str, "os.PathLike[str]"]
"""The path of a file or folder."""


class PillowImage(Protocol):
    """An image of Pillow, which need not be installed."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        ...

    @property
    def mode(self) -> str:
        """The kind of pixels, for instance ``"RGB"``."""
        ...

    def getbands(self) -> tuple[str, ...]:
        """Returns the names of the channels."""
        ...


Picture = Union["npt.NDArray[np.uint8]", bytes, bytearray, memoryview, str, "os.PathLike[str]", PillowImage, Frame]
"""A picture: an array of ``uint8`` (height x width x 3; also x 1, x 4, or without the third axis); the bytes of a JPEG,
PNG or WebP; its base64, data URI or path; an image of Pillow; or a frame."""


class PoseDict(TypedDict):
    """`Pose.to_dict`: degrees, in the frame as received."""

    yaw: float
    pitch: float
    roll: float
    nose_offset: float


class QualityDict(TypedDict):
    """`Quality.to_dict`."""

    eye_distance: float
    sharpness: float
    brightness: float
    visible: float
    reasons: list[str]


class FaceDict(TypedDict):
    """`Face.to_dict`. It holds no embedding: that identifies the person."""

    bbox: list[float]
    score: float
    landmarks: Optional[list[list[float]]]
    pose: Optional[PoseDict]
    quality: Optional[QualityDict]
    real: Optional[float]


class EngineDict(TypedDict):
    """`Engine.describe`."""

    detector: str
    embedder: str
    antispoof: str
    threads: int


class MatchDict(TypedDict):
    """`Match.to_dict`."""

    student_id: int
    similarity: float
    cosine: float


class IdentificationDict(TypedDict):
    """`Identification.to_dict`."""

    known: bool
    student_id: Optional[int]
    margin: float
    best: Optional[MatchDict]


class OutcomeDict(TypedDict):
    """`Outcome.to_dict`. Nothing in it identifies a person."""

    requested: Position
    detected_pose: Optional[Position]
    yaw: Optional[float]
    smoothed_yaw: Optional[float]
    gate: tuple[float, float]
    rise: Optional[float]
    rise_gate: Optional[tuple[float, float]]
    is_live: bool
    confidence: float
    verified: list[Position]
    next: Optional[Position]
    steps: tuple[int, int]
    passive: PassiveVerdict
    status: Status
    session_completed: bool
    liveness_score: float
    movement_verified: bool
    reasons: list[str]
    advice: list[str]


class VerificationDict(TypedDict):
    """`Verification.to_dict`, without the template."""

    status: Status
    liveness_score: float
    movement_verified: bool
    missing: list[Position]


class ReceiptDict(TypedDict):
    """`Receipt.to_dict`. ``issued_at`` is a text such as ``2026-03-02T08:00:00Z``."""

    student_id: int
    model: str
    issued_at: str
    liveness_score: float
    order: Order
    passive: PassiveVerdict
    nonce: str


class StudentDict(TypedDict):
    """`Student.to_dict`. ``created_at`` is a text such as ``2026-03-02T08:00:00Z``."""

    id: int
    name: str
    roll_number: str
    liveness_verified: bool
    liveness_confidence_score: float
    model: Optional[str]
    created_at: str


class AttendanceRecordDict(TypedDict):
    """`AttendanceRecord.to_dict`. ``timestamp`` is a text such as ``2026-03-02T08:00:00Z``, ``local_day`` one such as
    ``2026-03-02``."""

    id: int
    student_id: int
    student_name: str
    student_roll_number: str
    timestamp: str
    status: str
    confidence_score: Optional[float]
    camera_location: Optional[str]
    local_day: Optional[str]


class AttendanceSummaryDict(TypedDict):
    """`AttendanceBook.summary`."""

    total: int
    present: int
    absent: int
    late: int
    unique_students: int


class ErasureDict(TypedDict):
    """`Erasure.to_dict`."""

    student: StudentDict
    templates: int
    sessions: int
    marks_deleted: int
    marks_anonymized: int
    second_looks: int


class MergedDict(TypedDict):
    """`Merged.to_dict`."""

    student: StudentDict
    erasure: ErasureDict
    marks_moved: int
    corrections_moved: int
    second_looks_moved: int
    took_face: bool
    took_consent: bool


class SecondLookDict(TypedDict):
    """`SecondLook.to_dict`. Times are texts such as ``2026-03-02T08:00:00Z``, ``day`` is one such as ``2026-03-02``."""

    id: int
    student_id: int
    student_name: str
    student_roll_number: str
    timestamp: str
    day: str
    period: str
    status: str
    confidence_score: Optional[float]
    camera_location: Optional[str]
    verdict: SecondLookVerdict
    reasons: list[str]
    state: SecondLookState
    decided_by: Optional[str]
    decided_at: Optional[str]


class GalleryLoadDict(TypedDict):
    """`Store.load_gallery`: who can be recognized, and how many templates were left out."""

    people: int
    of_other_models: int
    legacy: int


class RecognizedFaceDict(TypedDict):
    """`RecognizedFace.to_dict`."""

    bbox: list[float]
    track: int
    decision: Decision
    student_id: Optional[int]
    similarity: Optional[float]
    liveness: Liveness
    liveness_reason: Optional[str]
    asked: Optional[Position]


class SightingDict(TypedDict):
    """`Sighting.to_dict`. ``at`` is in ISO 8601, in UTC."""

    track: int
    student_id: int
    similarity: float
    liveness: Liveness
    liveness_reason: Optional[str]
    at: str


class CameraProblemDict(TypedDict):
    """`CameraProblem.to_dict`. The codes are ``too_slow`` and ``turned``."""

    code: str
    message: str


class CameraHealthDict(TypedDict):
    """`Camera.health`. ``last_frame_age`` is in seconds."""

    state: CameraState
    captured: int
    analyzed: int
    dropped: int
    last_error: Optional[str]
    last_frame_age: Optional[float]


class PackDict(TypedDict):
    """A model pack, as `models.available` returns it. ``size`` is in bytes."""

    name: str
    title: str
    license: str
    commercial_use: bool
    requires_acceptance: bool
    size: int
    built_in: bool
    installed: bool


class AddedFileDict(TypedDict):
    """A file that `models.add` has put into its pack. ``missing`` names the files that the pack still needs."""

    pack: str
    file: str
    path: Path
    missing: list[str]
