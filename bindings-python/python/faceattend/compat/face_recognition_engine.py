"""`FaceRecognitionEngine`, with the signatures and dictionaries that existing code calls."""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from collections.abc import Iterable
from typing import Any, Optional

import faceattend
from faceattend.contrib.django import conf
from faceattend.contrib.django.enrolment_rules import template_of

from . import attendance, site, stored
from .following import Following, gate_of

log = logging.getLogger("faceattend.compat")

# How much more similar the best person must be than the next, for one view alone to decide: the core's own margin.
_MARGIN = 0.02
# How many cameras one engine follows. Beyond that, the longest unused is dropped.
_FOLLOWED = 64


class FaceRecognitionEngine:
    """Detects, recognizes and enrols faces.

    The model is loaded once a process, so making an engine costs nothing. Each one reads the known faces at its first
    use.

    Attributes
    ----------
    known_face_encodings, known_face_names, known_face_ids : list
        One entry a known student: the encoding as text, the name, the key.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.known_face_encodings: list[str] = []
        self.known_face_names: list[str] = []
        self.known_face_ids: list[Any] = []
        self._students: list[Any] = []
        self._gallery: Optional[faceattend.Gallery] = None
        self._followed: OrderedDict[Any, Following] = OrderedDict()

    def load_known_faces(self) -> int:
        """Reads the students again. Returns how many have a face that this engine can compare."""
        engine = conf.engine()
        model = engine.model
        students, encodings = [], []
        for student in site.active_students():
            embedding = stored.embedding_of(student, engine)
            if embedding is not None and embedding.model == model:
                students.append(student)
                encodings.append(embedding)
        self.finish()
        gallery = faceattend.Gallery()
        gallery.load(enumerate(encodings))
        self._students, self._gallery = students, gallery
        self.known_face_encodings = [stored.encode(embedding) for embedding in encodings]
        self.known_face_names = [site.name_of(student) for student in students]
        self.known_face_ids = [site.key_of(student) for student in students]
        log.info("loaded %d known faces", len(students))
        return len(students)

    def detect_faces(self, frame_bgr: Any) -> list[dict[str, Any]]:
        """The faces of a frame: ``[{'bbox': (x, y, w, h), 'confidence': float}]``, in whole pixels, largest first."""
        return [
            {"bbox": _xywh(face.bbox), "confidence": float(face.score)}
            for face in conf.engine().analyze(frame_bgr, depth="pose")
        ]

    def extract_face_encoding(self, frame: Any, bbox: Any = None) -> str:
        """The face at ``bbox`` (x, y, w, h) as text, for `compare_faces` and for a column; empty when there is none."""
        face = self._face_at(frame, bbox)
        return "" if face is None or face.embedding is None else stored.encode(face.embedding)

    def compare_faces(self, face_encoding: Any, known_encodings: Any, tolerance: float = 0.6) -> tuple[bool, float]:
        """Whether a face is among others, and how alike it is to the most similar.

        Parameters
        ----------
        face_encoding : str
            As `extract_face_encoding` gives it. Stored forms (bytes, JSON, lists) are read too.
        known_encodings : list
            The others; a single one will do.
        tolerance : float
            How different two views of one person may be: 1 - cosine on the scale of ArcFace-class models. The usual
            0.6 is the documented threshold, similarity 0.7; smaller is stricter.

        Returns
        -------
        tuple of (bool, float)
            The float is the similarity, in [0, 1].
        """
        engine = conf.engine()
        probe = stored.decode(face_encoding, engine) if face_encoding is not None else None
        best = 0.0
        if probe is not None:
            for known in _listed(known_encodings):
                other = stored.decode(known, engine)
                if other is not None and other.model == probe.model:
                    best = max(best, float(probe.similarity(other)))
        return bool(probe is not None and best >= _threshold(tolerance) and best > 0.0), float(best)

    def recognize_face(self, frame: Any, bbox: Any = None) -> tuple[Optional[Any], float]:
        """The student whose face is at ``bbox``, or ``None``, and the similarity to the most similar one."""
        face = self._face_at(frame, bbox)
        return (None, 0.0) if face is None else self._identify(face)

    def finish(self) -> None:
        """Ends every watch: tells of those who were being watched and have not shown to be alive."""
        while self._followed:
            self._followed.popitem()[1].finish()

    def process_frame(self, frame: Any, camera: Any = None) -> dict[str, Any]:
        """Looks at a frame, recognizes who is in it, and marks them.

        One picture shows nothing of life. Where ``GATE`` in the settings asks for it, as by default of cameras, it
        names people, and ``attendance_marked`` stays empty until several frames of the same ``camera``, passed one
        after the other, show that the person is alive. Whoever is recognized and not marked after ``GATE_WAIT`` is told
        by the signal `faceattend.contrib.django.signals.second_look`.

        Returns
        -------
        dict
            ``faces_detected``, ``faces_recognized``, ``unrecognized_faces``: counts. ``confidence_scores``: the
            similarity of each recognized face. ``recognition_accuracy``: recognized of detected, in [0, 1].
            ``metadata``: a dictionary with ``processing_time`` in seconds, ``model`` and, for each face, ``faces``.
            ``attendance_marked``: ``[{student_name, student_id, status}]`` of those newly marked. ``error``: only when
            something failed.
        """
        results: dict[str, Any] = {
            "faces_detected": 0,
            "faces_recognized": 0,
            "unrecognized_faces": 0,
            "confidence_scores": [],
            "recognition_accuracy": 0.0,
            "metadata": {},
            "attendance_marked": [],
        }
        started = time.perf_counter()
        try:
            engine = conf.engine()
            faces = engine.analyze(frame, depth="embedding")
            seen: list[dict[str, Any]] = []
            known: list[tuple[Any, float]] = []
            for face in faces:
                student, similarity = self._identify(face)
                seen.append(
                    {
                        "bbox": _xywh(face.bbox),
                        "confidence": float(face.score),
                        "student_id": None if student is None else site.key_of(student),
                        "student_name": None if student is None else site.name_of(student),
                        "similarity": float(similarity),
                    }
                )
                if student is None:
                    continue
                results["confidence_scores"].append(float(similarity))
                known.append((student, similarity))
            if getattr(camera, "attendance_auto_mark", True):
                if gate_of(camera) in ("require", "ask"):
                    # They are followed only while somebody is not marked yet: it analyzes the frame once more.
                    is_due = any(not attendance.marked(student) for student, _ in known)
                    known = self._following(camera).admitted(frame) if is_due else []
                for student, similarity in known:
                    _, new, status = attendance.mark(student, similarity, camera)
                    if new:
                        results["attendance_marked"].append(
                            {
                                "student_name": site.name_of(student),
                                "student_id": site.key_of(student),
                                "status": status,
                            }
                        )
            recognized = len(results["confidence_scores"])
            results["faces_detected"] = len(faces)
            results["faces_recognized"] = recognized
            results["unrecognized_faces"] = len(faces) - recognized
            results["recognition_accuracy"] = recognized / len(faces) if faces else 0.0
            results["metadata"] = {"faces": seen, "model": engine.model}
        except Exception as error:  # The callers look for the key and expect no exception.
            log.exception("a frame could not be processed")
            results["error"] = str(error)
        results["metadata"]["processing_time"] = time.perf_counter() - started
        return results

    def save_face_embedding(self, student: Any, face_image_data: Any) -> tuple[bool, str]:
        """Stores the face in a picture (data URI, base64, bytes, array) as a student's. Says whether, and why not."""
        try:
            embedding = template_of(face_image_data, conf.engine())
            stored.write(student, embedding)
        except (faceattend.FaceAttendError, ValueError) as error:
            return False, f"Face not saved: {error}"
        # The next frame is compared with this student too.
        self._gallery = None
        return True, "Face embedding saved successfully"

    def add_new_student_face(self, student: Any, face_image: Any) -> bool:
        """Stores the face in a picture as a student's. Says whether it did; `save_face_embedding` says why not."""
        done, message = self.save_face_embedding(student, face_image)
        if not done:
            log.warning("%s: %s", site.key_of(student), message)
        return done

    def _following(self, camera: Any) -> Following:
        if self._gallery is None:
            self.load_known_faces()
        assert self._gallery is not None
        key = site.key_of(camera) if getattr(camera, "pk", None) is not None else str(camera)
        following = self._followed.pop(key, None) or Following(self._gallery, self._students, camera)
        self._followed[key] = following
        if len(self._followed) > _FOLLOWED:
            self._followed.popitem(last=False)[1].finish()
        return following

    def _identify(self, face: faceattend.Face) -> tuple[Optional[Any], float]:
        if self._gallery is None:
            self.load_known_faces()
        gallery = self._gallery
        if face.embedding is None or gallery is None or not len(gallery):
            return None, 0.0
        seen = gallery.identify(face.embedding, conf.setting("THRESHOLD"))
        similarity = 0.0 if seen.best is None else float(seen.best.similarity)
        if seen.student_id is None or (len(gallery) > 1 and seen.margin < _MARGIN):
            return None, similarity
        return self._students[seen.student_id], similarity

    def _face_at(self, frame: Any, bbox: Any) -> Optional[faceattend.Face]:
        faces = conf.engine().analyze(frame, depth="embedding")
        if bbox is None:
            return faces[0] if faces else None
        x, y, w, h = (float(side) for side in bbox)
        box = (x, y, x + w, y + h)
        best = max(faces, key=lambda face: _iou(face.bbox, box), default=None)
        # Boxes of other detectors are larger or smaller than ours around the same face.
        return best if best is not None and _iou(best.bbox, box) > 0.2 else None


def _threshold(tolerance: float) -> float:
    return min(max(1.0 - float(tolerance) / 2.0, 0.0), 1.0)


def _listed(known: Any) -> Iterable[Any]:
    if known is None:
        return []
    if isinstance(known, (str, bytes, faceattend.Embedding)):
        return [known]
    return list(known)


def _xywh(box: tuple[float, float, float, float]) -> tuple[int, int, int, int]:
    x1, y1, x2, y2 = (int(round(side)) for side in box)
    return x1, y1, x2 - x1, y2 - y1


def _iou(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> float:
    width = max(0.0, min(a[2], b[2]) - max(a[0], b[0]))
    height = max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - width * height
    return width * height / union if union > 0 else 0.0
