"""Recognizes the students in a picture, and marks them present."""

from __future__ import annotations

import os
import threading
import time
import warnings
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Optional

from django.db import IntegrityError, connections, router, transaction
from django.db.models import Count, Max, Q
from django.utils import timezone

import faceattend
from faceattend._native import ENROLMENT_LOCK, similar_students

from . import conf, rosters
from .models import Attendance, SecondLook, Student, StudentTemplate

# For how many seconds the gallery is used before the database is asked again: enrolments of other processes show then.
BELIEVED_FOR = 2.0
# How often somebody who stands there and leaves is checked out, as the core's marker has it.
_DEPARTS_ONCE_IN = timedelta(seconds=60)


class _Known:
    """The gallery of this process, kept with the database."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.process = 0
        self.gallery = faceattend.Gallery()
        self.seen: Any = None
        self.model: Optional[str] = None
        self.newest = 0
        self.asked_at = 0.0

    def current(self) -> tuple[faceattend.Gallery, int]:
        """Returns the gallery, and the id of the newest template when it was loaded."""
        with self.lock:
            now = time.monotonic()
            if self.process == os.getpid() and now - self.asked_at < BELIEVED_FOR:
                return self.gallery, self.newest
            seen = (
                StudentTemplate.objects.aggregate(count=Count("id"), newest=Max("id")),
                Student.objects.aggregate(count=Count("id"), newest=Max("updated_at")),
            )
            if self.process != os.getpid() or seen != self.seen:
                # Whom another service erased leaves nothing here.
                SecondLook.objects.exclude(student_id__in=Student.objects.values("pk")).delete()
                with transaction.atomic(using=_database()):
                    hold_enrolments()
                    newest = StudentTemplate.objects.aggregate(newest=Max("id"))["newest"] or 0
                model = conf.engine().model
                if self.process != os.getpid() or self.model != model:
                    self.gallery = faceattend.Gallery()
                # In place where that can be: whoever is being watched goes on being watched.
                self.gallery.load(_people(model))
                self.newest, self.seen, self.model, self.process = newest, seen, model, os.getpid()
            self.asked_at = now
            return self.gallery, self.newest


def _database() -> str:
    return router.db_for_write(StudentTemplate)


def hold_enrolments() -> None:
    """Keeps every other transaction from writing registered templates until this one is over.

    SQLite lets one transaction at a time write, so there is nothing to do.
    """
    connection = connections[_database()]
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [ENROLMENT_LOCK])


def gallery_to_compare(template: faceattend.Embedding) -> faceattend.Gallery:
    """Returns the students whom a new face has to be compared with, as the transaction that writes the face sees them.

    The gallery of this process only proposes whom it resembles. Whoever was enrolled since it was loaded, by any
    process, is compared with too.
    """
    known, newest = _known.current()
    wanted = set(similar_students(known, template))
    wanted.update(StudentTemplate.objects.filter(id__gt=newest).values_list("student_id", flat=True))
    people = faceattend.Gallery()
    people.load(_people(template.model, wanted))
    return people


def gallery_of(student: Student, model: str) -> faceattend.Gallery:
    """Returns the templates of one student, as far as this model can compare them."""
    own = faceattend.Gallery()
    own.load(_people(model, {student.pk}))
    return own


def _people(model: str, among: Optional[set[int]] = None) -> Iterable[tuple[int, list[faceattend.Embedding]]]:
    students = Student.objects.all() if among is None else Student.objects.filter(pk__in=among)
    for student in students.prefetch_related("student_templates"):
        templates = [template for template in student.templates() if template.model == model]
        if templates:
            yield student.pk, templates


_known = _Known()


def _after_fork() -> None:
    # The lock may be held by a thread that does not exist in the child.
    global _known
    _known = _Known()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def gallery() -> faceattend.Gallery:
    """Returns the students who can be recognized. It follows the database with a delay of up to two seconds."""
    return _known.current()[0]


def forget() -> None:
    """Reads the students again at the next call of `gallery`."""
    _known.asked_at = 0.0
    _known.seen = None


def recognize(image: Any, *, among: Optional[Iterable[int]] = None, color: Any = "bgr") -> list[dict[str, Any]]:
    """The faces of a picture and whom each shows.

    Parameters
    ----------
    image : array, bytes, str, path or image
        See `faceattend.Engine.analyze`.
    among : iterable of int, optional
        Only these students' ids come into question.
    color : {"bgr", "rgb"}
        The order of an array's channels.

    Returns
    -------
    list of dict
        ``bbox``, ``student`` (a `Student` or ``None``), ``similarity`` to the most similar one (or ``None``),
        ``reasons`` against the view.
    """
    wanted = None if among is None else set(among)
    known, threshold = gallery(), conf.setting("THRESHOLD")
    found: list[dict[str, Any]] = []
    for face in conf.engine().analyze(image, color=color, depth="embedding"):
        best = None
        if face.embedding is not None:
            matches = known.search(face.embedding, 5 if wanted is None else max(len(known), 1))
            best = next((match for match in matches if wanted is None or match.student_id in wanted), None)
        student_id = best.student_id if best is not None and best.similarity >= threshold else None
        found.append(
            {
                "bbox": face.bbox,
                "student_id": student_id,
                "similarity": None if best is None else best.similarity,
                "reasons": [] if face.quality is None else face.quality.reasons,
            }
        )
    students = Student.objects.in_bulk([each["student_id"] for each in found if each["student_id"] is not None])
    for each in found:
        each["student"] = students.get(each.pop("student_id"))
    return found


def recognise(image: Any, *, among: Optional[Iterable[int]] = None, color: Any = "bgr") -> list[dict[str, Any]]:
    """Is deprecated: use `recognize`, which this calls."""
    warnings.warn("recognition.recognise is deprecated: use recognition.recognize", DeprecationWarning, stacklevel=2)
    return recognize(image, among=among, color=color)


def marked(student_id: int, at: Optional[datetime] = None) -> Optional[Attendance]:
    """Returns the row that stands for a student in the period of a moment, or ``None``."""
    place = rosters.place(student_id, at or timezone.now())
    rows = Attendance.objects.filter(student_id=student_id)
    # A row that another service wrote says no day: its time does.
    earlier = rows.filter(local_day=None, timestamp__gte=place.starts_at, timestamp__lt=place.ends_at).first()
    return earlier or rows.filter(local_day=place.day, period=place.period).first()


def mark(
    student_id: int, similarity: Optional[float], location: Optional[str] = None, at: Optional[datetime] = None
) -> tuple[Optional[Attendance], bool]:
    """Marks a student present, once in each period of the site's days.

    The student's own timetable says which period it is and who is late: that of the first group that has one, else the
    site's. Who is marked and is seen at a time for leaving is checked out.

    This is the mark itself: it does not ask whether the face was a living person's. `watching.Watch` does.

    Returns
    -------
    tuple of (Attendance or None, bool)
        The row that stands for the period, and whether it is new; ``None`` for a student that is gone.
    """
    at = at or timezone.now()
    place = rosters.place(student_id, at)
    day, period = place.day, place.period
    # A row that another service wrote says no day: its time does.
    there = Attendance.objects.filter(student_id=student_id, local_day=None, timestamp__gte=place.starts_at)
    row = there.filter(timestamp__lt=place.ends_at).first()
    if row is not None:
        return _checked_out(row, place, at), False
    if not Student.objects.filter(pk=student_id).exists():
        return None, False
    new = {
        "timestamp": at,
        "status": place.status,
        "confidence_score": None if similarity is None else round(float(similarity), 6),
        "camera_location": (location or None) and str(location)[:100],
    }
    try:
        # No transaction around both questions: SQLite refuses at once, without waiting, to let one write that has read
        # before somebody else wrote.
        row, is_new = Attendance.objects.get_or_create(
            student_id=student_id, local_day=day, period=period, defaults=new
        )
    except IntegrityError:
        # Deleted between the two questions.
        return None, False
    if not is_new:
        return _checked_out(row, place, at), False
    looks = SecondLook.objects.filter(student_id=student_id, local_day=day, period=period, state="open")
    looks.update(state="settled", decided_at=timezone.now())
    return row, True


def _checked_out(row: Attendance, place: rosters.Place, at: datetime) -> Attendance:
    """Notes that a marked student was seen leaving: the last time counts."""
    if place.checks_out:
        before = Attendance.objects.filter(pk=row.pk).filter(
            Q(checked_out_at=None) | Q(checked_out_at__lt=at - _DEPARTS_ONCE_IN)
        )
        if before.update(checked_out_at=at):
            row.checked_out_at = at
    return row


def look_again(sighting: faceattend.Sighting, location: Optional[str] = None) -> Optional[SecondLook]:
    """Puts a sighting on the second-look list. Returns the new row.

    ``None`` for a student who is marked or on the list of that period already, or gone.
    """
    if marked(sighting.student_id, sighting.at) is not None:
        return None
    place = rosters.place(sighting.student_id, sighting.at)
    new = {
        "seen_at": sighting.at,
        "confidence_score": round(sighting.similarity, 6),
        "camera_location": (location or "")[:100],
        "verdict": sighting.liveness,
        "reason": sighting.liveness_reason or "",
    }
    try:
        row, is_new = SecondLook.objects.get_or_create(
            student_id=sighting.student_id,
            local_day=place.day,
            period=place.period,
            state="open",
            defaults=new,
        )
    except IntegrityError:
        return None
    return row if is_new else None


def decide(look: SecondLook, *, confirm: bool, by: str) -> bool:
    """Closes a second look, and marks the student as seen then if it is confirmed.

    Returns whether it was open.
    """
    # Closed first: the mark settles what is open.
    still_open = SecondLook.objects.filter(pk=look.pk, state="open")
    state = "confirmed" if confirm else "refused"
    if not still_open.update(state=state, decided_by=by[:150], decided_at=timezone.now()):
        return False
    if confirm:
        mark(look.student_id, look.confidence_score, look.camera_location, look.seen_at)
    return True
