"""The module for asyncio: the same calls, awaited.

Models and databases take milliseconds to seconds, in which an event loop would stand still. Here a call runs on a
thread, and the loop goes on. `Engine` and `Store` have threads of their own, so that neither waits for the other:

- An engine runs as many calls at once as its thread budget allows (``threads``); further ones wait in line.
- A task that is cancelled while its call waits takes the call out of the line. A call that has begun runs to its end,
  because a model cannot be stopped half-way; the task goes on at once, and the result is dropped.
- `pull` stops its download when its task is cancelled.

`faceattend.Camera` works with ``async for`` by itself.

>>> async def main():                                                   # doctest: +SKIP
...     engine = faceattend.aio.Engine(threads=2)
...     faces = await engine.analyze("class.jpg")
>>> asyncio.run(main())                                                 # doctest: +SKIP
"""

from __future__ import annotations

import asyncio
import functools
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable, Literal, Optional, TypeVar, Union

import faceattend

from ._aio_rosters import Rosters
from ._threads import Threads

if TYPE_CHECKING:
    from typing_extensions import ParamSpec

    from .types import (
        AttendanceBy,
        AttendanceSummaryDict,
        Color,
        Corners,
        Depth,
        EngineDict,
        GalleryLoadDict,
        GuardianDict,
        Marks,
        Moment,
        PathLike,
        Picture,
        Position,
        SecondLookState,
        SecondLookVerdict,
        Selection,
        StudentsBy,
    )

    P = ParamSpec("P")

T = TypeVar("T")

__all__ = ["AttendanceBook", "Engine", "Rosters", "Store", "pull"]

# How many calls of one store run at once: as many connections as the core keeps open to a database.
_STORE_THREADS = 4


class Engine:
    """An engine whose calls are awaited. Make one for the whole program and keep it.

    Parameters
    ----------
    engine : faceattend.Engine, optional
        The engine to use. Default: a new one with ``options``.
    limit : int, optional
        How many calls run at once. Default: the thread budget of the engine.
    **options
        Those of `faceattend.Engine`.

    Raises
    ------
    faceattend.InvalidInputError
        For an option that is out of its range, or for options beside an ``engine``.
    """

    def __init__(
        self, engine: Optional[faceattend.Engine] = None, *, limit: Optional[int] = None, **options: Any
    ) -> None:
        if engine is not None and options:
            raise faceattend.InvalidInputError("options: an engine that is made already takes none")
        if limit is not None and limit < 1:
            raise faceattend.InvalidInputError("limit: 0 is too few")
        self._engine = faceattend.Engine(**options) if engine is None else engine
        self._limit = limit
        self._threads = Threads("faceattend-engine")

    @property
    def engine(self) -> faceattend.Engine:
        """The engine itself, for calls that are not awaited."""
        return self._engine

    async def run(self, call: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Runs any call on the threads of this engine, within its budget, and returns its result.

        >>> matches = await engine.run(gallery.search, probe, 5)         # doctest: +SKIP
        """
        loop = asyncio.get_running_loop()
        # The budget is known when the engine is loaded, which takes as long as a call.
        executor = self._threads.made() or await loop.run_in_executor(None, self._threads.get, self._budget)
        return await loop.run_in_executor(executor, functools.partial(call, *args, **kwargs))

    def _budget(self) -> int:
        return self._engine.describe()["threads"] if self._limit is None else self._limit

    async def load(self) -> None:
        """Loads the models now, rather than at the first frame."""
        await self.run(self._engine.load)

    async def describe(self) -> EngineDict:
        """Returns what the engine runs. See `faceattend.Engine.describe`."""
        return await self.run(self._engine.describe)

    async def detect(
        self, frame: Picture, *, color: Color = "bgr", region: Optional[Corners] = None
    ) -> list[faceattend.Face]:
        """Returns the faces of a frame. See `faceattend.Engine.detect`."""
        return await self.run(self._engine.detect, frame, color=color, region=region)

    async def analyze(
        self,
        frame: Picture,
        *,
        color: Color = "bgr",
        depth: Depth = "antispoof",
        selection: Selection = "all",
        region: Optional[Corners] = None,
    ) -> list[faceattend.Face]:
        """Returns the faces of a frame, each taken as far as ``depth`` says. See `faceattend.Engine.analyze`."""
        return await self.run(self._engine.analyze, frame, color=color, depth=depth, selection=selection, region=region)

    async def embed(
        self, frame: Picture, *, color: Color = "bgr", region: Optional[Corners] = None
    ) -> Optional[faceattend.Embedding]:
        """Returns the embedding of the largest face, or ``None``. See `faceattend.Engine.embed`."""
        return await self.run(self._engine.embed, frame, color=color, region=region)

    async def template(
        self, frame: Picture, *, color: Color = "bgr", region: Optional[Corners] = None
    ) -> faceattend.Embedding:
        """Returns the embedding of the only face, if it is clear enough. See `faceattend.Engine.template`."""
        return await self.run(self._engine.template, frame, color=color, region=region)

    async def observe(
        self,
        session: faceattend.LivenessSession,
        frame: Picture,
        position: Position,
        *,
        color: Color = "bgr",
        now: Optional[Moment] = None,
        captured_at: Optional[Moment] = None,
    ) -> faceattend.Outcome:
        """Takes a frame into a session and returns what it was worth. See `faceattend.LivenessSession.observe`."""
        return await self.run(
            session.observe, frame, position, self._engine, color=color, now=now, captured_at=captured_at
        )

    async def observe_answer(
        self,
        session: faceattend.LivenessSession,
        nonce: Optional[str],
        frame: Picture,
        position: Position,
        *,
        color: Color = "bgr",
        now: Optional[Moment] = None,
        captured_at: Optional[Moment] = None,
    ) -> faceattend.Outcome:
        """Takes in a frame of a client at a distance. See `faceattend.LivenessSession.observe_answer`."""
        return await self.run(
            session.observe_answer, nonce, frame, position, self._engine, color=color, now=now, captured_at=captured_at
        )

    async def process(
        self,
        recognizer: faceattend.Recognizer,
        frame: Picture,
        *,
        color: Color = "bgr",
        now: Optional[Moment] = None,
    ) -> faceattend.Recognition:
        """Returns what a frame of a camera shows, and the marks it leads to. See `faceattend.Recognizer.process`."""
        return await self.run(recognizer.process, frame, color=color, now=now)

    async def finish(self, recognizer: faceattend.Recognizer) -> faceattend.Recognition:
        """Ends the watch of a camera: see `faceattend.Recognizer.finish`."""
        return await self.run(recognizer.finish)

    def close(self) -> None:
        """Lets the threads end. Calls that wait are cancelled; a later call makes new threads."""
        self._threads.close()

    def __repr__(self) -> str:
        return "<faceattend.aio.Engine>"


class Store:
    """A store whose calls are awaited.

    Parameters
    ----------
    store : faceattend.Store, path or str
        The store to use, or where its database is: see `faceattend.Store`.
    """

    def __init__(self, store: Union[faceattend.Store, PathLike]) -> None:
        self._store = store if isinstance(store, faceattend.Store) else faceattend.Store(store)
        self._threads = Threads("faceattend-store")

    @property
    def store(self) -> faceattend.Store:
        """The store itself, for calls that are not awaited."""
        return self._store

    async def run(self, call: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Runs any call on the threads of this store, and returns its result."""
        executor = self._threads.get(lambda: _STORE_THREADS)
        return await asyncio.get_running_loop().run_in_executor(executor, functools.partial(call, *args, **kwargs))

    async def with_gallery(
        self,
        gallery: faceattend.Gallery,
        engine: Union[Engine, faceattend.Engine],
        *,
        duplicates: Literal["refuse", "allow"] = "refuse",
    ) -> Store:
        """Returns the same database with a gallery. See `faceattend.Store.with_gallery`."""
        plain = engine.engine if isinstance(engine, Engine) else engine
        return Store(await self.run(self._store.with_gallery, gallery, plain, duplicates=duplicates))

    async def check(self) -> None:
        """Checks that the database answers. See `faceattend.Store.check`."""
        await self.run(self._store.check)

    async def create_student(self, name: str, roll_number: str) -> faceattend.Student:
        """Creates a student without a face. See `faceattend.Store.create_student`."""
        return await self.run(self._store.create_student, name, roll_number)

    async def student(self, student_id: int) -> Optional[faceattend.Student]:
        """Returns the student with this id, or ``None``."""
        return await self.run(self._store.student, student_id)

    async def students(
        self,
        search: Optional[str] = None,
        *,
        no_face: bool = False,
        sort: StudentsBy = "id",
        descending: bool = False,
        skip: int = 0,
        limit: int = 1000,
    ) -> list[faceattend.Student]:
        """Returns the students by id, or in another order. See `faceattend.Store.students`."""
        listed = functools.partial(self._store.students, no_face=no_face, sort=sort, descending=descending)
        return await self.run(listed, search, skip=skip, limit=limit)

    async def update_student(
        self, student_id: int, *, name: Optional[str] = None, roll_number: Optional[str] = None
    ) -> faceattend.Student:
        """Changes name and roll number where given. See `faceattend.Store.update_student`."""
        return await self.run(self._store.update_student, student_id, name=name, roll_number=roll_number)

    async def erase_student(self, student_id: int, *, marks: Marks = "delete") -> faceattend.Erasure:
        """Erases what identifies a student. See `faceattend.Store.erase_student`."""
        return await self.run(self._store.erase_student, student_id, marks=marks)

    async def merge_students(
        self,
        student_id: int,
        other_student_id: int,
        *,
        face: Literal["kept", "other"] = "kept",
        actor: str = "python",
        merge_unlike: bool = False,
    ) -> faceattend.Merged:
        """Makes one student of two records of one person. See `faceattend.Store.merge_students`."""
        merge = self._store.merge_students
        return await self.run(
            merge, student_id, other_student_id, face=face, actor=actor, merge_unlike=merge_unlike
        )

    async def register_student(
        self, session: faceattend.LivenessSession, name: str, roll_number: str, *, actor: str = "python"
    ) -> faceattend.Student:
        """Creates a student with the face that a session proved. See `faceattend.Store.register_student`."""
        return await self.run(self._store.register_student, session, name, roll_number, actor=actor)

    async def enrol_student(
        self,
        session: faceattend.LivenessSession,
        student_id: int,
        *,
        actor: str = "python",
        replace_unlike: bool = False,
    ) -> faceattend.Student:
        """Gives a student the face that a session proved. See `faceattend.Store.enrol_student`."""
        enrol = self._store.enrol_student
        return await self.run(enrol, session, student_id, actor=actor, replace_unlike=replace_unlike)

    async def save_session(self, session: faceattend.LivenessSession) -> None:
        """Writes a session into the database. See `faceattend.Store.save_session`."""
        await self.run(self._store.save_session, session)

    async def session(self, session_id: str) -> Optional[faceattend.LivenessSession]:
        """Returns the session with this id, or ``None``."""
        return await self.run(self._store.session, session_id)

    async def second_looks(
        self,
        *,
        state: Optional[SecondLookState] = None,
        student_id: Optional[int] = None,
        skip: int = 0,
        limit: int = 1000,
    ) -> list[faceattend.SecondLook]:
        """Returns sightings that were not believed, newest first. See `faceattend.Store.second_looks`."""
        looks = self._store.second_looks
        return await self.run(looks, state=state, student_id=student_id, skip=skip, limit=limit)

    async def second_look(self, second_look_id: int) -> Optional[faceattend.SecondLook]:
        """Returns the sighting with this id, or ``None``."""
        return await self.run(self._store.second_look, second_look_id)

    async def open_second_looks(self) -> int:
        """Returns how many sightings wait for a decision."""
        return await self.run(self._store.open_second_looks)

    async def decide_second_look(
        self, second_look_id: int, answer: Literal["confirm", "refuse"], *, by: str
    ) -> Optional[faceattend.Marking]:
        """Decides an open sighting, once. See `faceattend.Store.decide_second_look`."""
        return await self.run(self._store.decide_second_look, second_look_id, answer, by=by)

    async def replace_templates(
        self, student_id: int, templates: Union[faceattend.Embedding, Iterable[faceattend.Embedding]]
    ) -> faceattend.Student:
        """Gives a student these templates. See `faceattend.Store.replace_templates`."""
        return await self.run(self._store.replace_templates, student_id, templates)

    async def templates_of(self, student_id: int) -> list[faceattend.Embedding]:
        """Returns the templates of a student. See `faceattend.Store.templates_of`."""
        return await self.run(self._store.templates_of, student_id)

    async def load_gallery(
        self,
        gallery: faceattend.Gallery,
        engine: Union[Engine, faceattend.Engine],
        *,
        legacy_model: Optional[str] = None,
    ) -> GalleryLoadDict:
        """Replaces what a gallery holds by the stored templates. See `faceattend.Store.load_gallery`."""
        plain = engine.engine if isinstance(engine, Engine) else engine
        return await self.run(self._store.load_gallery, gallery, plain, legacy_model=legacy_model)

    async def guardians(self, student_id: int) -> list[GuardianDict]:
        """Returns the guardians of a student. See `faceattend.Store.guardians`."""
        return await self.run(self._store.guardians, student_id)

    async def set_guardians(self, student_id: int, guardians: Iterable[Union[str, Mapping[str, Any]]]) -> None:
        """Gives a student these guardians and no others. See `faceattend.Store.set_guardians`."""
        await self.run(self._store.set_guardians, student_id, guardians)

    def close(self) -> None:
        """Lets the threads end. Calls that wait are cancelled; a later call makes new threads."""
        self._threads.close()

    def __repr__(self) -> str:
        return "<faceattend.aio.Store>"


class AttendanceBook:
    """An attendance book whose calls are awaited. It shares the threads of its store.

    Parameters
    ----------
    store : Store
    policy : faceattend.AttendancePolicy, optional
        The days of the site. Default: those of this machine's time zone.
    """

    def __init__(self, store: Store, policy: Optional[faceattend.AttendancePolicy] = None) -> None:
        self._store = store
        self._book = faceattend.AttendanceBook(store.store, policy)

    @property
    def book(self) -> faceattend.AttendanceBook:
        """The book itself, for `faceattend.Recognizer` and for calls that are not awaited."""
        return self._book

    async def mark(
        self,
        student_id: int,
        similarity: float = 1.0,
        camera_location: Optional[str] = None,
        at: Optional[Moment] = None,
    ) -> faceattend.Marking:
        """Marks a student present, once a day. See `faceattend.AttendanceBook.mark`."""
        return await self._store.run(self._book.mark, student_id, similarity, camera_location, at)

    async def second_look(
        self,
        student_id: int,
        verdict: SecondLookVerdict,
        reasons: list[str],
        *,
        similarity: float = 1.0,
        camera_location: Optional[str] = None,
        at: Optional[Moment] = None,
    ) -> faceattend.SecondLooking:
        """Puts a student who was not believed to be alive on the list. See `faceattend.AttendanceBook.second_look`."""
        look = functools.partial(self._book.second_look, similarity=similarity, camera_location=camera_location, at=at)
        return await self._store.run(look, student_id, verdict, reasons)

    async def records(
        self,
        *,
        since: Optional[Moment] = None,
        until: Optional[Moment] = None,
        student_id: Optional[int] = None,
        sort: Optional[AttendanceBy] = None,
        descending: Optional[bool] = None,
        skip: int = 0,
        limit: int = 1000,
    ) -> list[faceattend.AttendanceRecord]:
        """Returns the marks, newest first, or in another order. See `faceattend.AttendanceBook.records`."""
        ordered = functools.partial(self._book.records, sort=sort, descending=descending, skip=skip, limit=limit)
        return await self._store.run(ordered, since=since, until=until, student_id=student_id)

    async def record(self, attendance_id: int) -> Optional[faceattend.AttendanceRecord]:
        """Returns the mark with this id, or ``None``."""
        return await self._store.run(self._book.record, attendance_id)

    async def delete(self, attendance_id: int) -> None:
        """Deletes the mark with this id. See `faceattend.AttendanceBook.delete`."""
        await self._store.run(self._book.delete, attendance_id)

    async def summary(self, *, since: Optional[Moment] = None, until: Optional[Moment] = None) -> AttendanceSummaryDict:
        """Returns counts of the marks. See `faceattend.AttendanceBook.summary`."""
        return await self._store.run(self._book.summary, since=since, until=until)

    def __repr__(self) -> str:
        return "<faceattend.aio.AttendanceBook>"


async def pull(
    name: str,
    *,
    accept_license: bool = False,
    folder: Optional[PathLike] = None,
    progress: Optional[Callable[[str, int, int], object]] = None,
) -> list[Path]:
    """Fetches a model pack and returns the paths of its files. See `faceattend.models.pull`.

    When its task is cancelled, the download stops within a fraction of a second. What has arrived is kept, and the next
    call continues from there. ``progress`` is called on another thread.
    """
    stop = threading.Event()

    def download() -> list[Path]:
        return faceattend.models.pull(
            name, accept_license=accept_license, folder=folder, progress=progress, cancelled=stop.is_set
        )

    downloading = asyncio.get_running_loop().run_in_executor(None, download)
    try:
        return await asyncio.shield(downloading)
    except asyncio.CancelledError:
        stop.set()
        # The thread is at rest before the task ends, so that the next pull finds the part file free.
        await asyncio.wait([downloading])
        downloading.exception()
        raise
