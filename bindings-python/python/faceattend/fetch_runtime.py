"""Fetches ONNX Runtime's library: ``python -m faceattend.fetch_runtime``.

For Python 3.9 and 3.10, which the package ``onnxruntime`` no longer serves in a version that is new enough. The library
does not depend on the Python at hand. It comes out of that package as the registry has it for a newer Python, through
this Python's pip, and must have the pinned hash. It goes into the user's cache, where the engine and the server
``faceattend`` look for it. Newer Pythons need none of this: pip installs ``onnxruntime`` along.
"""

from __future__ import annotations

import sys
from pathlib import Path

from . import _native

__all__ = ["fetch_runtime"]


def fetch_runtime() -> Path:
    """Puts the library into the user's cache, unless it is there, and returns where it is.

    Raises
    ------
    RuntimeLibraryError
        When pip is missing, the registry cannot be reached, or what it serves is not the pinned file.
    """
    return _native.fetch_runtime(sys.executable)


if __name__ == "__main__":
    print(f"ONNX Runtime is {fetch_runtime()}")
