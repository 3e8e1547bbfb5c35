"""Follows the faces of one camera over its frames, and says who may be marked: see ``GATE`` in the settings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Optional

import faceattend
from faceattend.contrib.django import conf, signals, watching

from . import attendance, site


def gate_of(camera: Any) -> str:
    """Returns what is asked of a face before its person is marked: of your row of a camera, or of frames alone."""
    try:
        source: Optional[str] = None if camera is None else site.source_of(camera)
        return conf.gate(source)
    except (ValueError, faceattend.FaceAttendError):
        # It has no address, or one that nobody can open: whoever has frames of it has them from a camera.
        return conf.gate()


class Following:
    """The recognizer of one camera, over students as they were read.

    Parameters
    ----------
    gallery : faceattend.Gallery
        By the place of each student in ``students``.
    students : sequence
    camera : object
        Your row of it, or ``None``.
    """

    def __init__(self, gallery: faceattend.Gallery, students: Sequence[Any], camera: Any) -> None:
        self._students, self._camera = students, camera
        self._location = site.camera_location(camera) if camera is not None else ""
        self._recognizer = faceattend.Recognizer(
            conf.engine(),
            gallery,
            threshold=conf.setting("THRESHOLD"),
            agreeing=conf.setting("AGREEING_VIEWS"),
            gate=gate_of(camera),  # type: ignore[arg-type]
            gate_wait=conf.setting("GATE_WAIT"),
        )

    def admitted(self, frame: Any) -> list[tuple[Any, float]]:
        """Looks at the next frame. Returns the students who may be marked, each with the similarity."""
        seen = self._recognizer.process(frame)
        self._tell(signals.spoof_suspected, seen.suspected)
        self._look_again(seen)
        return [(self._students[each.student_id], float(each.similarity)) for each in seen.admitted]

    def finish(self) -> None:
        """Tells of those who were being watched and have not shown to be alive."""
        self._look_again(self._recognizer.finish())

    def _look_again(self, seen: faceattend.Recognition) -> None:
        # Another camera may have marked them.
        looks = [each for each in seen.second_looks if not attendance.marked(self._students[each.student_id])]
        self._tell(signals.second_look, looks)

    def _tell(self, signal: Any, sightings: Iterable[faceattend.Sighting]) -> None:
        watching.tell(signal, sightings, self._students.__getitem__, self._location)
