"""Threads on which `faceattend.aio` makes calls."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Callable, Optional


class Threads:
    """The threads of one object, made anew after a fork, in which the parent's do not exist."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._process = 0
        self._executor: Optional[ThreadPoolExecutor] = None

    def made(self) -> Optional[ThreadPoolExecutor]:
        """The threads, if this process has made them."""
        return self._executor if self._process == os.getpid() else None

    def get(self, limit: Callable[[], int]) -> ThreadPoolExecutor:
        """The threads, as many as ``limit`` says when they are made."""
        if self._process != os.getpid():
            # A thread that does not exist in the child may hold the parent's lock.
            self._process, self._lock, self._executor = os.getpid(), threading.Lock(), None
        with self._lock:
            if self._executor is None:
                self._executor = ThreadPoolExecutor(max(1, limit()), thread_name_prefix=self._name)
            return self._executor

    def close(self) -> None:
        """Lets the threads end, and cancels what waits."""
        if self._process == os.getpid():
            with self._lock:
                executor, self._executor = self._executor, None
            if executor is not None:
                executor.shutdown(wait=False, cancel_futures=True)
