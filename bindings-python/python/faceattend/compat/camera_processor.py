"""`CameraProcessor` and `CameraManager`, with the signatures and dictionaries that existing code calls."""

from __future__ import annotations

import inspect
import logging
import threading
from typing import Any, Callable, Optional

import faceattend

from . import site
from .face_detection import FaceDetectionService

log = logging.getLogger("faceattend.compat")

# How long to wait before a camera that does not open is tried again, in seconds.
_PAUSE = 5.0
_PATIENCE = 5.0


class CameraProcessor:
    """Watches one camera on a thread of its own.

    Parameters
    ----------
    camera_stream : object
        Your row of the camera, or an address, a path, or the number of a webcam.
    callback : callable, optional
        Called after each frame with as many of these as it takes: the results; the frame and the results; the stream,
        the frame and the results. The frame is an array in BGR.
    """

    def __init__(self, camera_stream: Any, callback: Optional[Callable[..., Any]] = None) -> None:
        self.camera_stream = camera_stream
        self.callback = callback
        self.face_detection_service = FaceDetectionService(camera_stream)
        self.last_results: Optional[dict[str, Any]] = None
        self.frame_count = 0
        self._camera: Optional[faceattend.Camera] = None
        self._stop = threading.Event()
        self._thread: Optional[threading.Thread] = None
        self._arguments = 0 if callback is None else _arguments_of(callback)

    @property
    def is_running(self) -> bool:
        """Whether the camera is being watched."""
        return self._thread is not None and self._thread.is_alive() and not self._stop.is_set()

    def start(self) -> bool:
        """Starts watching. Returns whether it does."""
        if self.is_running:
            return True
        try:
            source = site.source_of(self.camera_stream)
        except ValueError as error:
            log.error("%s", error)
            return False
        self._stop.clear()
        self._thread = threading.Thread(target=self._run, args=(source,), name="faceattend-camera", daemon=True)
        self._thread.start()
        return True

    def stop(self) -> None:
        """Stops watching, within seconds."""
        self._stop.set()
        camera = self._camera
        if camera is not None:
            camera.close()
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(_PATIENCE)
        self._thread = None

    def _run(self, source: str) -> None:
        while not self._stop.is_set():
            try:
                with faceattend.Camera(source) as camera:
                    self._camera = camera
                    for frame in camera:
                        if self._stop.is_set():
                            return
                        self._look(frame)
                return  # A recording is over.
            except (faceattend.CameraError, faceattend.FileError) as error:
                log.warning("%s; trying again in %d seconds", error, _PAUSE)
                self._stop.wait(_PAUSE)
            except faceattend.FaceAttendError as error:
                log.error("%s", error)
                return
            finally:
                self._camera = None
                self.face_detection_service.finish()
                _close_connections()

    def _look(self, frame: faceattend.Frame) -> None:
        _close_connections()
        picture = frame.to_numpy("bgr")
        results = self.face_detection_service.process_frame(picture)
        self.last_results = results
        self.frame_count += 1
        if self.callback is not None:
            given = (self.camera_stream, picture, results)
            try:
                self.callback(*given[3 - self._arguments :])
            except Exception:  # The camera goes on, whatever the callback does.
                log.exception("the callback of a camera failed")


def _arguments_of(callback: Callable[..., Any]) -> int:
    """How many of its three arguments the callback takes."""
    try:
        parameters = inspect.signature(callback).parameters.values()
    except (TypeError, ValueError):
        return 2
    if any(each.kind is each.VAR_POSITIONAL for each in parameters):
        return 3
    positional = [each for each in parameters if each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD)]
    return min(max(len(positional), 0), 3)


def _source(stream: Any) -> Optional[str]:
    try:
        return site.source_of(stream)
    except ValueError:
        return None


def _close_connections() -> None:
    """Gives a thread that lives for days a fresh connection when its database closed the old one."""
    from django.db import close_old_connections

    close_old_connections()


class CameraManager:
    """Watches all cameras of the project."""

    def __init__(self) -> None:
        self.processors: dict[Any, CameraProcessor] = {}
        self._lock = threading.RLock()

    def start_all_cameras(self) -> None:
        """Starts every camera that is switched on."""
        for stream in site.active_cameras():
            self.add_camera(stream)

    def stop_all_cameras(self) -> None:
        """Stops every camera."""
        with self._lock:
            stopped, self.processors = list(self.processors.values()), {}
        for processor in stopped:
            processor.stop()

    def add_camera(self, camera_stream: Any, callback: Optional[Callable[..., Any]] = None) -> bool:
        """Starts a camera: your row of it, or its key. Returns whether it is being watched."""
        stream = self._stream(camera_stream)
        if stream is None:
            return False
        key = site.key_of(stream)
        with self._lock:
            there = self.processors.get(key)
            if there is not None and there.is_running:
                return True
            processor = CameraProcessor(stream, callback)
            self.processors[key] = processor
            return processor.start()

    def remove_camera(self, camera: Any) -> bool:
        """Stops a camera: its key, or your row of it. Returns whether it was there."""
        with self._lock:
            processor = self.processors.pop(camera if isinstance(camera, (int, str)) else site.key_of(camera), None)
        if processor is None:
            return False
        processor.stop()
        return True

    def reload_cameras(self) -> None:
        """Reads the cameras again: stops those that are gone or switched off, starts the new, restarts the changed."""
        wanted = {site.key_of(stream): stream for stream in site.active_cameras()}
        with self._lock:
            there = dict(self.processors)
        for key, processor in there.items():
            stream = wanted.get(key)
            if stream is None or _source(stream) != _source(processor.camera_stream):
                self.remove_camera(key)
            else:
                processor.face_detection_service.reload_known_faces()
        for stream in wanted.values():
            self.add_camera(stream)

    def get_camera_status(self) -> dict[Any, dict[str, Any]]:
        """``{id: {is_running, camera_name, camera_location}}`` of every camera that was started."""
        with self._lock:
            return {
                key: {
                    "is_running": bool(processor.is_running),
                    "camera_name": site.camera_name(processor.camera_stream),
                    "camera_location": site.camera_location(processor.camera_stream),
                }
                for key, processor in self.processors.items()
            }

    def _stream(self, given: Any) -> Any:
        if not isinstance(given, (int, str)) or isinstance(given, bool):
            return given
        model = site.camera_model()
        row = None if model is None else model._default_manager.filter(pk=given).first()
        if row is None:
            log.error("there is no camera with key %s", given)
        return row


camera_manager = CameraManager()
