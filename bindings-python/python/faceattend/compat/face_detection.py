"""`FaceDetectionService`, with the signatures and dictionaries that existing code calls."""

from __future__ import annotations

import logging
import time
from datetime import date
from typing import Any, Optional

import numpy as np

from faceattend.contrib.django import conf

from . import attendance, site
from .face_recognition_engine import FaceRecognitionEngine
from .following import Following

log = logging.getLogger("faceattend.compat")

# At most one detection log in so many seconds.
_LOG_EVERY = 5.0
UNKNOWN = "Unknown"


class FaceDetectionService:
    """Follows the faces of one stream and marks whoever several of its views agree on and show to be alive.

    ``GATE`` in the settings says whether life is asked for: by default of cameras, and not of recordings. Whoever is
    recognized and not marked is told by the signal `faceattend.contrib.django.signals.second_look`.

    Parameters
    ----------
    camera_stream : object, optional
        Your row of the camera; its location goes into attendance.
    """

    def __init__(self, camera_stream: Any = None) -> None:
        self.camera_stream = camera_stream
        self._engine = FaceRecognitionEngine()
        self._followed: Optional[Following] = None
        self._marked: dict[Any, date] = {}
        self._logged_at = -_LOG_EVERY

    @property
    def known_face_names(self) -> list[str]:
        """The names of the known students."""
        return self._engine.known_face_names

    @property
    def known_face_encodings(self) -> list[str]:
        """Their encodings as text."""
        return self._engine.known_face_encodings

    def load_known_faces(self) -> None:
        """Reads the students again."""
        self.finish()
        self._engine.load_known_faces()

    def reload_known_faces(self) -> None:
        """Reads the students again."""
        self.load_known_faces()

    def finish(self) -> None:
        """Ends the watch: tells of those who were being watched and have not shown to be alive."""
        followed, self._followed = self._followed, None
        if followed is not None:
            followed.finish()

    def process_frame(self, frame: Any) -> dict[str, Any]:
        """Looks at a frame of the stream.

        Returns
        -------
        dict
            ``face_locations``: ``[(top, right, bottom, left)]`` in whole pixels. ``face_names``: a name for each, or
            ``"Unknown"``. ``processing_time``: seconds. ``faces_detected``, ``students_recognized``: counts.
            ``error``: only when something failed.
        """
        started = time.perf_counter()
        locations: list[tuple[int, int, int, int]] = []
        names: list[str] = []
        recognized = 0
        error: Optional[str] = None
        today = conf.policy().day()[0]
        try:
            following = self._following()
            faces = conf.engine().analyze(frame, depth="embedding")
            unmarked = False
            for face in faces:
                student, _ = self._engine._identify(face)
                left, top, right, bottom = (int(round(side)) for side in face.bbox)
                locations.append((top, right, bottom, left))
                names.append(UNKNOWN if student is None else site.name_of(student))
                recognized += student is not None
                unmarked |= student is not None and self._marked.get(site.key_of(student)) != today
            # A second look, which follows the faces, only while somebody is not marked yet.
            if unmarked and getattr(self.camera_stream, "attendance_auto_mark", True):
                for student, similarity in following.admitted(frame):
                    attendance.mark(student, similarity, self.camera_stream)
                    self._marked[site.key_of(student)] = today
        except Exception as failure:  # The callers expect no exception from a frame.
            log.exception("a frame could not be processed")
            error = str(failure)
        took = time.perf_counter() - started
        self._write_log(len(locations), recognized, took, error)
        results: dict[str, Any] = {
            "face_locations": locations,
            "face_names": names,
            "processing_time": took,
            "faces_detected": len(locations),
            "students_recognized": recognized,
        }
        if error is not None:
            results["error"] = error
        return results

    def draw_results_on_frame(self, frame: Any, results: dict[str, Any]) -> Any:
        """A copy of a frame with a box around each face and its name below, for `process_frame`'s results."""
        drawn = np.array(frame, copy=True)
        for (top, right, bottom, left), name in zip(results.get("face_locations", []), results.get("face_names", [])):
            color = (0, 0, 255) if name == UNKNOWN else (0, 200, 0)
            _box(drawn, left, top, right, bottom, color)
            drawn = _text(drawn, name, left, bottom, color)
        return drawn

    def _following(self) -> Following:
        if self._engine._gallery is None:
            self.finish()
            self._engine.load_known_faces()
        if self._followed is None:
            assert self._engine._gallery is not None
            self._followed = Following(self._engine._gallery, self._engine._students, self.camera_stream)
        return self._followed

    def _write_log(self, faces: int, recognized: int, took: float, error: Optional[str]) -> None:
        model = site.log_model() if faces or error else None
        if model is None or time.monotonic() - self._logged_at < _LOG_EVERY:
            return
        self._logged_at = time.monotonic()
        fields = site.fields_of(model)
        values: dict[str, Any] = {
            "faces_detected": faces,
            "students_recognized": recognized,
            "processing_time": took,
            "camera_location": site.camera_location(self.camera_stream)[:100],
            "error_message": error or "",
        }
        row = {name: value for name, value in values.items() if name in fields and not fields[name].is_relation}
        for name, field in fields.items():
            if field.is_relation and isinstance(field.related_model, type):
                if isinstance(self.camera_stream, field.related_model):
                    row[name] = self.camera_stream
        try:
            model._default_manager.create(**row)
        except Exception:  # A log that does not fit must not stop the camera.
            log.exception("the detection log could not be written")


def _box(picture: Any, left: int, top: int, right: int, bottom: int, color: tuple[int, int, int]) -> None:
    height, width = picture.shape[:2]
    thick = max(2, width // 320)
    x1, x2 = (min(max(side, 0), width) for side in (left, right))
    y1, y2 = (min(max(side, 0), height) for side in (top, bottom))
    picture[y1 : y1 + thick, x1:x2] = color
    picture[max(y2 - thick, 0) : y2, x1:x2] = color
    picture[y1:y2, x1 : x1 + thick] = color
    picture[y1:y2, max(x2 - thick, 0) : x2] = color


def _text(picture: Any, text: str, left: int, bottom: int, color: tuple[int, int, int]) -> Any:
    try:
        from PIL import Image, ImageDraw, ImageFont
    except ImportError:
        # Without Pillow there are boxes only: their color says who is known.
        return picture
    image = Image.fromarray(picture)
    draw = ImageDraw.Draw(image)
    size = max(14, picture.shape[1] // 40)
    try:
        font: Any = ImageFont.load_default(size)
    except TypeError:  # Before Pillow 10.1 the default has one size.
        font = ImageFont.load_default()
    x1, y1, x2, y2 = draw.textbbox((left + 4, bottom + 2), text, font=font)
    draw.rectangle((left, bottom, x2 + 4, y2 + 3), fill=color)
    draw.text((left + 4, bottom + 2), text, fill=(255, 255, 255), font=font)
    return np.asarray(image)
