"""Cameras, recordings, and anything else that gives frames one after the other."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterable, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Any, Optional, Union

from ._native import CameraReader, Frame

if TYPE_CHECKING:
    from .types import CameraHealthDict, Picture

__all__ = ["Camera"]

Source = Union[int, str, "os.PathLike[str]", "Iterable[Picture]"]


class Camera:
    """A camera or recording as a context manager and iterator, for ``for`` and ``async for``.

    A thread of its own reads the frames. A camera gives its newest frame, so that slow work never sees an old one, and
    is opened again when it fails. A recording gives every frame, and ends.

    Parameters
    ----------
    source : int, str, path or iterable of frames
        The number of a camera, its device, the address of a stream (``rtsp://user:password@host/path``), a video file,
        a folder of pictures; or any iterable of frames, which is passed through. Cameras and video other than
        motion-JPEG AVI need OpenCV, which is loaded then (``faceattend.HAS_OPENCV`` says whether it is there).
    open_timeout, read_timeout : float
        Seconds that connecting may take, and that a stream may stay silent.
    real_time : bool
        Whether a recording is played at its own pace, missing frames as a camera would, instead of frame by frame.
    orientation : {0, 90, 180, 270}
        By how many degrees clockwise the pictures have to be turned to be upright: 180 for a camera that is mounted
        upside down.
    mirror : bool
        Whether they are mirrored left to right then.
    timeout : float, optional
        Seconds to wait for one frame before ``CameraError``. Default: for ever, while it is opened again.

    Examples
    --------
    >>> with Camera("rtsp://camera/1") as camera:          # doctest: +SKIP
    ...     for frame in camera:
    ...         print(engine.detect(frame))
    """

    def __init__(
        self,
        source: Source,
        *,
        open_timeout: float = 5.0,
        read_timeout: float = 5.0,
        real_time: bool = False,
        orientation: int = 0,
        mirror: bool = False,
        timeout: Optional[float] = None,
    ) -> None:
        self._open_timeout, self._read_timeout, self._real_time = open_timeout, read_timeout, real_time
        self._orientation, self._mirror = orientation, mirror
        self._timeout = timeout
        self._reader: Optional[CameraReader] = None
        self._frames: Optional[Iterator[Picture]] = None
        self._source: Optional[str] = None
        self._closed = False
        if isinstance(source, (int, str, os.PathLike)):
            self._source = str(source if isinstance(source, int) else os.fspath(source))
        else:
            self._frames = iter(source)

    def open(self) -> "Camera":
        """Opens the camera, if it is not open, and returns it.

        Raises
        ------
        CameraError
            When it does not open in time.
        StateError
            When it needs OpenCV and this build has none.
        """
        if self._source is not None and self._reader is None:
            self._reader = CameraReader(
                self._source,
                open_timeout=self._open_timeout,
                read_timeout=self._read_timeout,
                real_time=self._real_time,
                orientation=self._orientation,
                mirror=self._mirror,
            )
            self._closed = False
        return self

    def close(self) -> None:
        """Stops reading. A thread that waits for a frame gets the end of the iteration."""
        self._closed = True
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.close()

    @property
    def is_open(self) -> bool:
        """Whether the camera can give frames."""
        return not self._closed and (self._reader is not None or self._frames is not None)

    @property
    def name(self) -> str:
        """The source, without credentials."""
        return self._reader.name if self._reader is not None else "frames" if self._frames is not None else "closed"

    def health(self) -> CameraHealthDict:
        """Returns how the camera is doing.

        ``captured`` frames came from the source, ``analyzed`` ones were handed out, and ``dropped`` ones were replaced
        by a newer one or could not be decoded. ``last_frame_age`` is in seconds; ``last_error`` holds no credentials.
        """
        if self._reader is not None:
            return self._reader.health()
        return {
            "state": "running" if self.is_open else "stopped",
            "captured": 0,
            "analyzed": 0,
            "dropped": 0,
            "last_error": None,
            "last_frame_age": None,
        }

    def read(self, timeout: Optional[float] = None) -> "Optional[Union[Frame, Picture]]":
        """Returns the next frame, or ``None`` at the end of a recording and after ``close``.

        Raises
        ------
        CameraError
            When no frame came within ``timeout`` seconds.
        """
        if self._closed:
            return None
        if self._frames is not None:
            return next(self._frames, None)
        self.open()
        reader = self._reader
        return None if reader is None else reader.read(self._timeout if timeout is None else timeout)

    def __enter__(self) -> "Camera":
        return self.open()

    def __exit__(
        self,
        kind: Optional[type[BaseException]],
        value: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        self.close()

    def __iter__(self) -> "Iterator[Any]":
        return self

    def __next__(self) -> Any:
        frame = self.read()
        if frame is None:
            raise StopIteration
        return frame

    async def __aenter__(self) -> "Camera":
        return await asyncio.to_thread(self.open)

    async def __aexit__(
        self,
        kind: Optional[type[BaseException]],
        value: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        await asyncio.to_thread(self.close)

    def __aiter__(self) -> "AsyncIterator[Any]":
        return self

    async def __anext__(self) -> Any:
        frame = await asyncio.to_thread(self.read)
        if frame is None:
            raise StopAsyncIteration
        return frame

    def __repr__(self) -> str:
        return f"<faceattend.Camera {self.name}>"
