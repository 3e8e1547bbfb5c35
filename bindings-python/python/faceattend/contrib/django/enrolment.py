"""From frames to a student's stored face."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Optional

from django.db import transaction
from django.utils import timezone

import faceattend
from faceattend._native import (
    SESSION_ROUNDS,
    UNLIKE_FACE,
    KnownFace,
    is_unlike_face,
    known_face,
    session_columns,
    use_up_session,
)

from . import conf, recognition
from .enrolment_rules import template_of
from .models import FaceFields, LivenessSession, Student, StudentTemplate

if TYPE_CHECKING:
    from faceattend.types import Position


class FaceTakenError(faceattend.ConflictError):
    """The face is another student's, and the setting ``DUPLICATES`` refuses it."""

    def __init__(self, known: KnownFace) -> None:
        super().__init__(known.advice)
        self.known = known


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
    for _ in range(SESSION_ROUNDS):
        row = LivenessSession.objects.get(session_id=session_id)
        session = _session_of(row)
        before = session.revision
        outcome = session.observe(frame, position, conf.engine())
        if session.revision == before or _write_back(row, session):
            return outcome
    raise faceattend.StateError("liveness session: too many frames at once")


class UnlikeFaceError(faceattend.ConflictError):
    """The face is unlike the one that the student has, and may not take its place."""

    code, advice = UNLIKE_FACE

    def __init__(self) -> None:
        super().__init__(self.advice)


def enrol(student: Student, session_id: str, *, replace_unlike: bool = False) -> Student:
    """Gives a student the face that a completed session proved, once.

    Parameters
    ----------
    replace_unlike
        Whether the face may take the place of one that it is unlike, which gives the name of one person to the face of
        another. The admin site lets superusers do it.

    Raises
    ------
    LivenessSession.DoesNotExist
        For an unknown session.
    faceattend.StateError
        When the session is not complete, or was begun for another student.
    faceattend.ConflictError
        When the session has enrolled somebody already.
    FaceTakenError
        When the face is another student's and ``DUPLICATES`` is ``"refuse"``. The session may be used all the same.
    UnlikeFaceError
        When the student has another face and ``replace_unlike`` is false. The session may be used all the same.
    """
    enrol_compared(student, session_id, replace_unlike=replace_unlike)
    return student


def enrol_compared(student: Student, session_id: str, *, replace_unlike: bool = False) -> Optional[KnownFace]:
    """Does what `enrol` does, and returns the other student whom the face resembles under ``"warn"``."""
    # A late frame may change the session between reading and writing; each round some call wins.
    for _ in range(SESSION_ROUNDS):
        row = LivenessSession.objects.get(session_id=session_id)
        session = _session_of(row)
        templates, score = use_up_session(session, student.pk, is_used=row.consumed_at is not None)
        # The first question of the transaction writes: SQLite refuses at once, without waiting, to let one write that
        # has read before somebody else wrote.
        with transaction.atomic():
            recognition.hold_enrolments()
            used = LivenessSession.objects.filter(pk=row.pk, consumed_at=None, version=row.version).update(
                consumed_at=timezone.now(), student=student, state=session.to_json(), version=row.version + 1
            )
            if used:
                known = _compared(session, student, templates[0])
                if not replace_unlike:
                    _must_be_alike(session, student, templates[0])
                write_templates(student, templates, liveness_score=score)
        if used:
            student.refresh_from_db()
            return known
    raise faceattend.StateError("liveness session: too many frames at once")


def _compared(
    session: faceattend.LivenessSession, student: Student, template: faceattend.Embedding
) -> Optional[KnownFace]:
    policy = conf.setting("DUPLICATES")
    if policy == "allow":
        return None
    others = recognition.gallery_to_compare(template)
    known = known_face(session, others, policy=policy, student_id=student.pk)
    if known is not None and known.is_refused:
        # The transaction that this ends leaves the session as it was.
        raise FaceTakenError(known)
    return known


def _must_be_alike(session: faceattend.LivenessSession, student: Student, template: faceattend.Embedding) -> None:
    if is_unlike_face(session, recognition.gallery_of(student, template.model)):
        # The transaction that this ends leaves the session as it was.
        raise UnlikeFaceError()


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
    recognition.hold_enrolments()
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
    """Returns whether the row was still as it had been read."""
    changes = session_columns(session, completed_at=row.completed_at)
    unchanged = LivenessSession.objects.filter(pk=row.pk, version=row.version)
    return bool(unchanged.update(**changes, version=row.version + 1))
