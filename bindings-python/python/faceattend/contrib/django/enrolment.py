"""From frames to a student's stored face."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Optional

from django.db import transaction
from django.utils import timezone

import faceattend

from . import conf
from .enrolment_rules import template_of
from .models import FaceFields, LivenessSession, Student, StudentTemplate

if TYPE_CHECKING:
    from faceattend.types import Position

# How often a frame is applied again when other frames of its session were quicker: each time one of them got through.
_ROUNDS = 50


def begin_session(student: Optional[Student] = None, *, mirrored: bool = True) -> LivenessSession:
    """A new liveness session, for a student that is there already or for one to come.

    Parameters
    ----------
    student : Student, optional
    mirrored : bool
        Whether the frames will be flipped, as a page flips them that shows the person a mirror.
    """
    options = {**conf.setting("LIVENESS"), "mirrored": mirrored}
    session = faceattend.LivenessSession(student_id=None if student is None else student.pk, **options)
    return LivenessSession.objects.create(
        session_id=session.id,
        student=student,
        status=session.status(),
        created_at=session.created_at,
        expires_at=session.expires_at,
        state=session.to_json(),
    )


def observe(session_id: str, position: Position, image: Any) -> faceattend.Outcome:
    """Takes a frame into a stored session and returns what it was worth.

    Frames of one session may come at once, to different processes: each is applied to the newest state.

    Raises
    ------
    LivenessSession.DoesNotExist
        For an unknown session.
    faceattend.InvalidImageError
        For bytes that are no picture.
    """
    frame = faceattend.decode_image(image)
    for _ in range(_ROUNDS):
        row = LivenessSession.objects.get(session_id=session_id)
        session = _session_of(row)
        before = session.revision
        outcome = session.observe(frame, position, conf.engine())
        if session.revision == before or _write_back(row, session):
            return outcome
    raise faceattend.StateError("liveness session: too many frames at once")


def enrol(student: Student, session_id: str) -> Student:
    """Gives a student the face that a completed session proved, once.

    Raises
    ------
    LivenessSession.DoesNotExist
        For an unknown session.
    faceattend.StateError
        When the session is not complete.
    faceattend.ConflictError
        When the session has enrolled somebody already.
    """
    # A late frame may change the session between reading and writing; each round some call wins.
    for _ in range(_ROUNDS):
        row = LivenessSession.objects.get(session_id=session_id)
        if row.consumed_at is not None:
            break
        session = _session_of(row)
        score = session.liveness_score
        templates = session.consume()
        # The first question of the transaction writes: SQLite refuses at once, without waiting, to let one write that has
        # read before somebody else wrote.
        with transaction.atomic():
            used = LivenessSession.objects.filter(pk=row.pk, consumed_at=None, version=row.version).update(
                consumed_at=timezone.now(), student=student, state=session.to_json(), version=row.version + 1
            )
            if used:
                write_templates(student, templates, liveness_score=score)
        if used:
            student.refresh_from_db()
            return student
    raise faceattend.ConflictError("an enrolment from this liveness session already exists")


def enrol_from_photos(student: Student, images: Sequence[Any]) -> Student:
    """Gives a student the face in photographs, on the operator's word: liveness counts as not verified.

    Raises
    ------
    faceattend.InvalidInputError
        When a photograph does not show one face, clearly; its message says what to do.
    """
    templates = [template_of(image, conf.engine()) for image in images]
    if not templates:
        raise faceattend.InvalidInputError("no photograph was given")
    for other in templates[1:]:
        if templates[0].similarity(other) < conf.setting("THRESHOLD"):
            raise faceattend.InvalidInputError("the photographs show different people")
    with transaction.atomic():
        write_templates(student, templates, liveness_score=None)
    student.refresh_from_db()
    return student


def write_templates(
    student: FaceFields, templates: Sequence[faceattend.Embedding], *, liveness_score: Optional[float]
) -> None:
    """Writes templates in place of those that the student has. Call it in a transaction."""
    first, now = templates[0], timezone.now()
    row = type(student)._default_manager.filter(pk=student.pk)
    row.update(
        face_embedding=first.to_bytes(),
        embedding_vector=json.dumps(first.to_list()),
        liveness_verified=liveness_score is not None,
        liveness_verification_date=None if liveness_score is None else now,
        liveness_confidence_score=liveness_score or 0.0,
    )
    # After the reference server's trigger, which takes the model off a face that others have changed.
    row.update(model_version=first.model)
    if isinstance(student, Student):
        Student.objects.filter(pk=student.pk).update(updated_at=now)
        StudentTemplate.objects.filter(student=student).delete()
        StudentTemplate.objects.bulk_create(
            StudentTemplate(student=student, model_id=each.model, embedding=each.to_bytes(), created_at=now)
            for each in templates
        )


def _session_of(row: LivenessSession) -> faceattend.LivenessSession:
    if row.state:
        return faceattend.LivenessSession.from_json(row.state)
    raise faceattend.StateError("liveness session: it was begun by another service; please start again")


def _write_back(row: LivenessSession, session: faceattend.LivenessSession) -> bool:
    """Whether the row was still as it had been read."""
    changes: dict[str, Any] = {
        "state": session.to_json(),
        "status": session.status(),
        "version": row.version + 1,
        "attempts_count": session.revision,
        "liveness_score": session.liveness_score,
        "movement_verified": session.is_completed,
    }
    positions: tuple[Position, ...] = ("center", "left", "right")
    for position in positions:
        template = session.template(position)
        changes[f"{position}_verified"] = template is not None
        changes[f"{position}_embedding"] = None if template is None else json.dumps(template.to_list())
    if session.is_completed:
        changes["completed_at"] = row.completed_at or timezone.now()
        changes["final_embedding"] = changes["center_embedding"]
    return bool(LivenessSession.objects.filter(pk=row.pk, version=row.version).update(**changes))
