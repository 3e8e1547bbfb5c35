"""``manage.py faceattend_run_cameras``: watches cameras and marks attendance until it is stopped."""

from __future__ import annotations

import logging
import signal
import threading
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import close_old_connections

import faceattend
from faceattend.contrib.django import conf
from faceattend.contrib.django.models import Camera, DetectionLog
from faceattend.contrib.django.watching import Sight, Watch

log = logging.getLogger("faceattend")

# At most one detection log a camera in so many seconds.
_LOG_EVERY = 5.0


def _close_after(stop: threading.Event, camera: faceattend.Camera) -> None:
    """Ends the wait for a frame of a camera that says nothing."""
    stop.wait()
    camera.close()


class Command(BaseCommand):
    """Watches cameras and marks attendance."""

    help = "Watches the enabled cameras and marks attendance. Ends when every source is over, or on Ctrl-C."

    def add_arguments(self, parser: CommandParser) -> None:
        """What it takes."""
        parser.add_argument("--source", action="append", help="a camera or recording instead of those in the database")
        parser.add_argument("--location", default="", help="the place that attendance of --source names")
        parser.add_argument("--real-time", action="store_true", help="play recordings at their own pace")

    def handle(self, *args: Any, **options: Any) -> None:
        """Runs one thread a camera."""
        if options["source"]:
            watched = [(source, options["location"] or "Camera", source) for source in options["source"]]
        else:
            cameras = Camera.objects.filter(enabled=True)
            watched = [(camera.name, camera.location or camera.name, camera.source) for camera in cameras]
        if not watched:
            raise CommandError("No camera is enabled: add one in the admin, or name one with --source.")
        stop = threading.Event()
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, lambda *_: stop.set())
        failures: list[str] = []
        threads = [
            threading.Thread(
                target=self._watch, args=(name, location, source, options["real_time"], stop, failures), daemon=True
            )
            for name, location, source in watched
        ]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            for thread in threads:
                thread.join(timeout=0.2)
        if failures:
            raise CommandError("; ".join(failures))

    def _watch(
        self, name: str, location: str, source: str, real_time: bool, stop: threading.Event, failures: list[str]
    ) -> None:
        try:
            orientation = conf.setting("ORIENTATION_AT").get(location, 0)
            mirror = location in conf.setting("MIRROR_AT")
            with faceattend.Camera(source, real_time=real_time, orientation=orientation, mirror=mirror) as camera:
                threading.Thread(target=_close_after, args=(stop, camera), daemon=True).start()
                self._follow(camera, source, location, stop)
        except faceattend.FaceAttendError as error:
            failures.append(f"{location}: {error}")
        finally:
            close_old_connections()

    def _follow(self, camera: faceattend.Camera, source: str, location: str, stop: threading.Event) -> None:
        watch, logged_at, told = Watch(source), 0.0, set[str]()
        try:
            for frame in camera:
                if stop.is_set():
                    return
                close_old_connections()
                started = time.perf_counter()
                seen = watch.see(frame, location)
                took = time.perf_counter() - started
                self._say(seen, location)
                for problem in seen.problems:
                    if problem.code not in told:
                        log.warning("%s: %s", location, problem.message)
                        self.stderr.write(f"{location}: {problem.message}")
                told = {problem.code for problem in seen.problems}
                is_due = time.monotonic() - logged_at > _LOG_EVERY
                if seen.suspected or (seen.faces and is_due):
                    logged_at = time.monotonic()
                    DetectionLog.objects.create(
                        faces_detected=len(seen.faces),
                        students_recognized=len([face for face in seen.faces if face.student_id is not None]),
                        processing_time=took,
                        camera_location=location[:100],
                        error_message="spoof_suspected" if seen.suspected else None,
                    )
        finally:
            self._say(watch.finish(location), location)

    def _say(self, seen: Sight, location: str) -> None:
        for row in seen.marked:
            self.stdout.write(f"{location}: {row.student.name} {row.status}")
        for look in seen.second_looks:
            self.stdout.write(f"{location}: {look.student.name} is not marked, somebody has to look ({look.reason})")
        for sighting in seen.suspected:
            self.stdout.write(f"{location}: a picture of student {sighting.student_id} is suspected")
