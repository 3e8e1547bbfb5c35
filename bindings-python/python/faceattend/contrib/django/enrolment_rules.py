"""Which picture is good enough to enrol somebody by. Apart, because it needs no model of this app."""

from __future__ import annotations

from typing import Any

import faceattend

# As in a liveness session: a passer-by in the background does no harm, two people side by side do.
DOMINANCE = 2.0


def template_of(image: Any, engine: faceattend.Engine, *, color: Any = "bgr") -> faceattend.Embedding:
    """The embedding of the only face of a picture, if it is good enough to recognize somebody by.

    Raises
    ------
    faceattend.InvalidInputError
        When there is no face, when there are several, or when it is not clear; the message says what to do.
    """
    faces = engine.analyze(image, color=color, depth="embedding")
    if not faces:
        raise faceattend.InvalidInputError("no face is in the picture")
    area = [(face.bbox[2] - face.bbox[0]) * (face.bbox[3] - face.bbox[1]) for face in faces]
    rivals = [each for each in area if each * DOMINANCE > area[0]]
    if len(rivals) > 1:
        raise faceattend.InvalidInputError(f"{len(rivals)} faces are in the picture: one person only, please")
    face = faces[0]
    if face.quality is not None and face.quality.reasons:
        raise faceattend.InvalidInputError("the face is not clear enough: " + ", ".join(face.quality.advice))
    if face.embedding is None:
        raise faceattend.InvalidInputError("the face cannot be made out")
    return face.embedding
