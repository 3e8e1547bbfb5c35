"""The tables of the reference server, as Django's models.

Table and column names are those of the reference server (and of the service that it replaces), so one database serves
both. Times are UTC. Columns that others may leave empty are nullable here too.
"""

from __future__ import annotations

from typing import Any, Optional

from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone

import faceattend

from . import conf
from .fields import ServerTimeField

_FACE_COLUMNS = frozenset(
    [
        "face_embedding",
        "embedding_vector",
        "model_version",
        "liveness_verified",
        "liveness_verification_date",
        "liveness_confidence_score",
    ]
)


class FaceFields(models.Model):
    """The columns of a face, for the students of this app or as a mixin for your own.

    An embedding is written by `faceattend.contrib.django.enrolment` and is never a form field.
    """

    face_embedding = models.BinaryField(null=True, blank=True, editable=False)
    embedding_vector = models.TextField(null=True, blank=True, editable=False)
    model_version = models.TextField(null=True, blank=True, editable=False)
    liveness_verified = models.BooleanField(null=True, default=False, editable=False)
    liveness_verification_date = models.DateTimeField(null=True, blank=True, editable=False)
    liveness_confidence_score = models.FloatField(null=True, blank=True, editable=False)

    class Meta:
        abstract = True

    @property
    def has_face(self) -> bool:
        """Whether an embedding is stored, whichever model made it."""
        return bool(self.face_embedding) or bool(self.embedding_vector)

    def embedding(self) -> Optional[faceattend.Embedding]:
        """The stored embedding; ``None`` without one, and for one that names no model unless ``LEGACY_MODEL`` does."""
        model = self.model_version or conf.setting("LEGACY_MODEL")
        if not model or not self.face_embedding:
            return None
        try:
            return faceattend.Embedding.from_bytes(bytes(self.face_embedding), model)
        except faceattend.InvalidInputError:
            return None

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Saves the row, and leaves the face as it is in the database when the row is there already.

        A form that was opened before a registration must not bring the old face back: only `enrolment` writes faces.
        """
        if not self._state.adding and kwargs.get("update_fields") is None:
            own = (field for field in self._meta.concrete_fields if not field.primary_key)
            kwargs["update_fields"] = [field.name for field in own if field.name not in _FACE_COLUMNS]
        super().save(*args, **kwargs)


class Student(FaceFields):
    """Somebody who can be recognized."""

    id = models.AutoField(primary_key=True)
    name = models.CharField(max_length=255)
    roll_number = models.CharField(max_length=50, unique=True)
    roll_no = models.CharField(max_length=50, null=True, blank=True, editable=False, db_index=True)
    created_at = models.DateTimeField(null=True, default=timezone.now, editable=False)
    updated_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        db_table = "students"
        ordering = ["name", "id"]

    def __str__(self) -> str:
        return f"{self.name} ({self.roll_number})"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Saves the row, stamped with the time."""
        if not self._state.adding:
            self.updated_at = timezone.now()
        super().save(*args, **kwargs)

    def templates(self) -> list[faceattend.Embedding]:
        """The embeddings to recognize the student by, the one in ``face_embedding`` first."""
        found = [template.embedding_of() for template in self.student_templates.all()]
        usable = [embedding for embedding in found if embedding is not None]
        if usable:
            return usable
        single = self.embedding()
        return [] if single is None else [single]


class StudentTemplate(models.Model):
    """One view of a student's face: several are recognized more surely than one."""

    id = models.AutoField(primary_key=True)
    student = models.ForeignKey(Student, on_delete=models.CASCADE, related_name="student_templates")
    model_id = models.TextField()
    embedding = models.BinaryField()
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "student_templates"
        ordering = ["id"]

    def embedding_of(self) -> Optional[faceattend.Embedding]:
        """The embedding, or ``None`` when the row is damaged."""
        try:
            return faceattend.Embedding.from_bytes(bytes(self.embedding), self.model_id)
        except faceattend.InvalidInputError:
            return None


class LivenessSession(models.Model):
    """A liveness session between two frames. Frames are not stored: those columns stay empty."""

    id = models.AutoField(primary_key=True)
    session_id = models.CharField(max_length=100, unique=True)
    # The state holds embeddings: they go with the student.
    student = models.ForeignKey(Student, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    status = models.CharField(max_length=20, null=True)
    created_at = models.DateTimeField(null=True, default=timezone.now)
    completed_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField()
    center_frame_data = models.TextField(null=True, blank=True)
    left_frame_data = models.TextField(null=True, blank=True)
    right_frame_data = models.TextField(null=True, blank=True)
    center_embedding = models.TextField(null=True, blank=True)
    left_embedding = models.TextField(null=True, blank=True)
    right_embedding = models.TextField(null=True, blank=True)
    center_verified = models.BooleanField(null=True, default=False)
    left_verified = models.BooleanField(null=True, default=False)
    right_verified = models.BooleanField(null=True, default=False)
    liveness_score = models.FloatField(null=True, default=0.0)
    movement_verified = models.BooleanField(null=True, default=False)
    final_embedding = models.TextField(null=True, blank=True)
    error_message = models.TextField(null=True, blank=True)
    attempts_count = models.IntegerField(null=True, default=0)
    state = models.TextField(null=True, blank=True)
    version = models.IntegerField(default=0)
    consumed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "liveness_detection_sessions"
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.session_id} ({self.status})"


class Attendance(models.Model):
    """A student's attendance in a period of the site's days. The database sees to it that there is one a period."""

    STATUSES = [("Present", "Present"), ("Late", "Late"), ("Left early", "Left early"), ("Absent", "Absent")]

    id = models.AutoField(primary_key=True)
    student = models.ForeignKey(Student, on_delete=models.CASCADE, related_name="attendances")
    timestamp = models.DateTimeField(default=timezone.now, db_index=True)
    status = models.CharField(max_length=20, default="Present", choices=STATUSES)
    confidence_score = models.FloatField(null=True, blank=True)
    camera_location = models.CharField(max_length=100, null=True, blank=True)
    created_at = models.DateTimeField(null=True, default=timezone.now, editable=False)
    local_day = models.DateField(null=True, blank=True, editable=False)
    period = models.TextField(null=True, blank=True, editable=False)
    # Last seen in the time in which leaving is expected.
    checked_out_at = ServerTimeField(null=True, blank=True, editable=False)

    class Meta:
        db_table = "attendance_log"
        ordering = ["-timestamp", "-id"]
        verbose_name_plural = "attendance"
        constraints = [
            models.UniqueConstraint(
                fields=["student", "local_day", "period"], name="uq_attendance_log_student_day_period"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.student} {self.timestamp:%Y-%m-%d}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Saves the row with the site's day that its time belongs to, and the period of the student's timetable."""
        if self.local_day is None or self.period is None:
            from . import rosters

            place = rosters.place(self.student_id, self.timestamp)
            self.local_day, self.period = place.day, place.period
        super().save(*args, **kwargs)


class SecondLook(models.Model):
    """Somebody whom a camera recognized, and whose views did not show a living person: somebody has to look.

    This table is Django's own. No picture is kept.
    """

    STATES = [("open", "open"), ("confirmed", "confirmed"), ("refused", "refused"), ("settled", "marked since")]

    # Without a constraint: the reference server erases students of the same database, and knows nothing of this table.
    # `recognition.gallery` follows.
    student = models.ForeignKey(
        Student, on_delete=models.CASCADE, related_name="second_looks", db_constraint=False
    )
    seen_at = models.DateTimeField(default=timezone.now, db_index=True)
    local_day = models.DateField()
    period = models.CharField(max_length=100)
    confidence_score = models.FloatField(null=True, blank=True)
    camera_location = models.CharField(max_length=100, blank=True)
    verdict = models.CharField(max_length=20, choices=[("undecided", "undecided"), ("spoof", "a picture")])
    reason = models.CharField(max_length=50, blank=True)
    state = models.CharField(max_length=20, default="open", choices=STATES)
    decided_by = models.CharField(max_length=150, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "faceattend_second_look"
        ordering = ["-seen_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["student", "local_day", "period"],
                condition=models.Q(state="open"),
                name="uq_faceattend_second_look_open",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.student} {self.seen_at:%Y-%m-%d %H:%M}"


class DetectionLog(models.Model):
    """What a camera saw at one moment: counts, no pictures."""

    id = models.AutoField(primary_key=True)
    timestamp = models.DateTimeField(default=timezone.now)
    faces_detected = models.IntegerField(null=True)
    students_recognized = models.IntegerField(null=True)
    processing_time = models.FloatField(null=True, blank=True)
    camera_location = models.CharField(max_length=100, null=True, blank=True)
    error_message = models.TextField(null=True, blank=True)

    class Meta:
        db_table = "detection_logs"
        ordering = ["-id"]


class Camera(models.Model):
    """A camera for ``manage.py faceattend_run_cameras``. This table is Django's own."""

    name = models.CharField(max_length=100, unique=True)
    source = models.CharField(
        max_length=500,
        help_text="The number of a camera, an address (rtsp://user:password@host/path), or the path of a video file.",
    )
    location = models.CharField(max_length=100, blank=True, help_text="The place that attendance names.")
    enabled = models.BooleanField(default=True)

    class Meta:
        db_table = "faceattend_camera"
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Refuses what no camera speaks."""
        text = (self.source or "").strip()
        scheme = text.split("://", 1)[0].lower() if "://" in text else ""
        if scheme and scheme not in {"rtsp", "rtsps", "http", "https", "rtmp", "rtmps", "srt"}:
            raise ValidationError({"source": "A camera's address begins with rtsp, http, rtmp or srt."})


# Django looks for the models of an app in this module.
from .roster_models import (  # noqa: E402
    AttendanceCorrection,
    CalendarEntry,
    Excuse,
    GroupMember,
    StudentGroup,
    Timetable,
    Withdrawal,
)

__all__ = [
    "Attendance",
    "AttendanceCorrection",
    "CalendarEntry",
    "Camera",
    "DetectionLog",
    "Excuse",
    "FaceFields",
    "GroupMember",
    "LivenessSession",
    "SecondLook",
    "Student",
    "StudentGroup",
    "StudentTemplate",
    "Timetable",
    "Withdrawal",
]
