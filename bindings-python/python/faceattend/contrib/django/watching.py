"""Watches faces over the frames of a camera, and marks whoever may be marked: see ``GATE`` in `conf`."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Callable, Optional

import faceattend

from . import conf, recognition, signals
from .models import Attendance, SecondLook, Student

log = logging.getLogger("faceattend")


@dataclass(frozen=True)
class Sight:
    """What a frame showed, and what came of it.

    Attributes
    ----------
    faces : list of faceattend.RecognizedFace
    marked : list of Attendance
        The new rows.
    second_looks : list of SecondLook
        The people who were recognized and are not marked: the new rows of the second-look list.
    suspected : list of faceattend.Sighting
        The faces that show a picture of a student: see `signals.spoof_suspected`.
    problems : list of faceattend.CameraProblem
        What keeps the camera from naming people.
    """

    faces: list[faceattend.RecognizedFace] = field(default_factory=list)
    marked: list[Attendance] = field(default_factory=list)
    second_looks: list[SecondLook] = field(default_factory=list)
    suspected: list[faceattend.Sighting] = field(default_factory=list)
    problems: list[faceattend.CameraProblem] = field(default_factory=list)


class Watch:
    """Follows the faces of one camera, or of whoever posts frames one after the other.

    Parameters
    ----------
    source : str, optional
        The camera or recording. Default: frames that somebody posts.
    """

    def __init__(self, source: Optional[str] = None) -> None:
        self._gate = conf.gate(source)
        self._lock = threading.Lock()
        self._gallery: Optional[faceattend.Gallery] = None
        self._recognizer: Optional[faceattend.Recognizer] = None

    def see(self, frame: Any, location: str, *, mark: bool = True) -> Sight:
        """Looks at the next frame. With ``mark``, marks whoever the gate admits."""
        seen = self._following(location, mark).process(frame)
        _tell(signals.spoof_suspected, seen.suspected, location)
        if not mark:
            return Sight(seen.faces, suspected=seen.suspected, problems=seen.problems)
        rows = [recognition.mark(each.student_id, each.similarity, location) for each in seen.admitted]
        marked = [row for row, is_new in rows if row is not None and is_new]
        return Sight(seen.faces, marked, _look_again(seen, location), seen.suspected, seen.problems)

    def finish(self, location: str, *, mark: bool = True) -> Sight:
        """Ends the watch: tells of those who were being watched and have not shown to be alive."""
        with self._lock:
            recognizer, self._recognizer = self._recognizer, None
        if recognizer is None or not mark:
            return Sight()
        return Sight(second_looks=_look_again(recognizer.finish(), location))

    def _following(self, location: str, mark: bool) -> faceattend.Recognizer:
        gallery = recognition.gallery()
        if gallery is not self._gallery:
            self.finish(location, mark=mark)
        with self._lock:
            if self._recognizer is None:
                self._gallery = gallery
                self._recognizer = faceattend.Recognizer(
                    conf.engine(),
                    gallery,
                    threshold=conf.setting("THRESHOLD"),
                    agreeing=conf.setting("AGREEING_VIEWS"),
                    gate=self._gate,
                    gate_wait=conf.setting("GATE_WAIT"),
                )
            return self._recognizer


def _look_again(seen: faceattend.Recognition, location: str) -> list[SecondLook]:
    """Puts them on the second-look list, and tells of those who are new there."""
    looks = []
    for sighting in seen.second_looks:
        look = recognition.look_again(sighting, location)
        if look is not None:
            looks.append(look)
            _tell(signals.second_look, [sighting], location)
    return looks


def _tell(signal: Any, sightings: Iterable[faceattend.Sighting], location: str) -> None:
    tell(signal, sightings, lambda student_id: Student.objects.filter(pk=student_id).first(), location)


def tell(
    signal: Any, sightings: Iterable[faceattend.Sighting], student_of: Callable[[int], Any], location: str
) -> None:
    """Sends a signal for each sighting whose student is there."""
    what = "a picture is suspected" if signal is signals.spoof_suspected else "somebody has to look again"
    for sighting in sightings:
        student = student_of(sighting.student_id)
        if student is None:
            continue
        log.warning("%s: student %s, %s", what, student.pk, sighting.liveness_reason)
        for receiver, answer in signal.send_robust(
            sender=Watch, student=student, camera_location=location, sighting=sighting
        ):
            if isinstance(answer, Exception):
                log.error("a receiver failed: %r", receiver, exc_info=answer)
