"""Model packs: list, fetch and check them. The default pack is inside the module and needs none of this."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Callable, Optional, Union

from . import _native

if TYPE_CHECKING:
    from .types import AddedFileDict, PackDict

__all__ = ["add", "available", "folder", "pull", "verify"]

PathLike = Union[str, "os.PathLike[str]"]


def available(folder: Optional[PathLike] = None) -> list[PackDict]:
    """Returns the packs that this version knows, each with its licence, its size in bytes, and whether it is installed.

    >>> [pack["name"] for pack in faceattend.models.available()][0]
    'default'
    """
    return _native.list_packs(folder)


def pull(
    name: str,
    *,
    accept_license: bool = False,
    folder: Optional[PathLike] = None,
    progress: Optional[Callable[[str, int, int], object]] = None,
    cancelled: Optional[Callable[[], object]] = None,
) -> list[Path]:
    """Fetches a pack, checked against its hashes, and returns the paths of its files.

    Ctrl-C, an exception of ``progress``, or ``cancelled`` stops it at any moment. What has arrived is kept, and the
    next call continues from there.

    Parameters
    ----------
    name : str
        As ``available`` says it.
    accept_license : bool
        Whether the licence of a pack that asks for it has been read and accepted.
    folder : path, optional
        Where to put it. Default: see ``folder``.
    progress : callable, optional
        Called with a file's name, its bytes so far and its bytes in all, at least ten times a second. What it raises
        stops the download and is raised here.
    cancelled : callable, optional
        Asked as often: a true answer stops the download. The ``is_set`` of a ``threading.Event``, for instance.

    Raises
    ------
    StateError
        When the licence has to be accepted first.
    DownloadError
        When a file could not be fetched, or the download was cancelled.
    """
    return _native.pull_pack(name, accept_license=accept_license, folder=folder, progress=progress, cancelled=cancelled)


def add(
    file: PathLike,
    *,
    pack: Optional[str] = None,
    accept_license: bool = False,
    folder: Optional[PathLike] = None,
) -> list[AddedFileDict]:
    """Copies a file that was fetched elsewhere into its pack: for machines without internet.

    The contents of the file decide which one it is, not its name. A file of several packs goes into each of them.

    Parameters
    ----------
    file : path
        What was fetched. It is copied.
    pack : str, optional
        Only into this pack.
    accept_license : bool
        Whether the licence of a pack that asks for it has been read and accepted.
    folder : path, optional
        Where the packs are. Default: see ``folder``.

    Returns
    -------
    list of dict
        Where it is now: ``pack``, ``file``, ``path``, and the names of the files that the pack still needs,
        ``missing``.

    Raises
    ------
    ModelError
        For a file that no pack knows, with its hash and those that are expected. Nothing is changed.
    StateError
        When the licence has to be accepted first.
    """
    return _native.add_file(file, pack=pack, accept_license=accept_license, folder=folder)


def verify(name: str, *, folder: Optional[PathLike] = None) -> bool:
    """Returns whether every file of a pack is there and has the expected hash."""
    return _native.verify_pack(name, folder=folder)


def folder() -> Path:
    """Returns where packs are installed: ``FACEATTEND_MODELS``, else ``faceattend/models`` in the user data folder."""
    return _native.models_folder()
