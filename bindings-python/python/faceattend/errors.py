"""What this module raises. Every class derives from `FaceAttendError` and from the built-in that fits best."""

from __future__ import annotations

from typing import ClassVar


class FaceAttendError(Exception):
    """The base of everything that this module raises.

    ``code`` is stable, in snake case, and the same in the Rust, Python and Node APIs.
    """

    code: ClassVar[str] = "error"


class InvalidImageError(FaceAttendError, ValueError):
    """The bytes are no picture that can be decoded, or break a limit on pictures."""

    code = "invalid_image"


class InvalidInputError(FaceAttendError, ValueError):
    """An argument or option is out of its range."""

    code = "invalid_input"


class ModelError(FaceAttendError, RuntimeError):
    """A model file is missing, damaged, or not what its role needs."""

    code = "model"


class RuntimeLibraryError(FaceAttendError, RuntimeError):
    """ONNX Runtime was not found, is too old, or lacks the execution provider asked for."""

    code = "runtime"


class ModelMismatchError(FaceAttendError, ValueError):
    """Embeddings of different models were compared."""

    code = "model_mismatch"


class NotFoundError(FaceAttendError, LookupError):
    """The thing asked for is not there."""

    code = "not_found"


class ConflictError(FaceAttendError, ValueError):
    """The change clashes with what is stored: a duplicate roll number, a result already used."""

    code = "conflict"


class StateError(FaceAttendError, RuntimeError):
    """The request does not fit the state it meets: a session that is not complete, a camera opened before a fork."""

    code = "state"


class CameraError(FaceAttendError, OSError):
    """A camera could not be opened or read. The message holds no credentials."""

    code = "camera"


class StoreError(FaceAttendError, RuntimeError):
    """The database failed. The message holds no SQL and no value."""

    code = "store"


class FileError(FaceAttendError, OSError):
    """A file could not be read or written."""

    code = "io"


class DownloadError(FaceAttendError, OSError):
    """A download failed; nothing was changed."""

    code = "download"


class InternalError(FaceAttendError, RuntimeError):
    """Something this library promised did not hold. A bug: please report it."""

    code = "internal"
