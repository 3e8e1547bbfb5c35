"""Model packs: what there is, fetching them, checking them. The default pack is inside the module and needs none of this."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Callable, Optional, Union

from . import _native

__all__ = ["available", "folder", "pull", "verify"]

PathLike = Union[str, "os.PathLike[str]"]


def available(folder: Optional[PathLike] = None) -> list[dict[str, Any]]:
    """The packs this version knows, as dictionaries.

    Each says ``name``, ``title``, ``license``, ``commercial_use``, ``requires_acceptance``, ``size`` in bytes,
    ``built_in`` and whether it is ``installed``.
    """
    return _native.list_packs(folder)


def pull(
    name: str,
    *,
    accept_license: bool = False,
    folder: Optional[PathLike] = None,
    progress: Optional[Callable[[str, int, int], object]] = None,
) -> list[Path]:
    """Fetches a pack, checked against its hashes, and returns the paths of its files.

    Parameters
    ----------
    name : str
        As ``available`` says it.
    accept_license : bool
        Whether the licence of a pack that asks for it has been read and accepted.
    folder : path, optional
        Where to put it. Default: see ``folder``.
    progress : callable, optional
        Called with a file's name, its bytes so far and its bytes in all.

    Raises
    ------
    StateError
        When the licence has to be accepted first.
    DownloadError
        When a file could not be fetched. What has come is kept, and the next call goes on there.
    """
    return _native.pull_pack(name, accept_license=accept_license, folder=folder, progress=progress)


def verify(name: str, *, folder: Optional[PathLike] = None) -> bool:
    """Whether every file of a pack is there and is what it should be."""
    return _native.verify_pack(name, folder=folder)


def folder() -> Path:
    """Where packs are installed: ``FACEATTEND_MODELS``, else ``faceattend/models`` in the user's data folder."""
    return _native.models_folder()
