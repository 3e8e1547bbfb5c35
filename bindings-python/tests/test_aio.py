"""The calls for asyncio: the loop goes on, the budget holds, and a task can be cancelled."""

import asyncio
import subprocess
import sys
import threading
import time

import pytest

import faceattend
from faceattend import aio

from .conftest import PART


class Probe:
    """Counts how many calls run at once."""

    def __init__(self):
        self.lock, self.running, self.most, self.begun = threading.Lock(), 0, 0, 0

    def __call__(self, seconds=0.05):
        with self.lock:
            self.running, self.begun = self.running + 1, self.begun + 1
            self.most = max(self.most, self.running)
        time.sleep(seconds)
        with self.lock:
            self.running -= 1
        return threading.current_thread().name


def test_a_frame_gives_what_it_gives_without_asyncio_and_the_loop_goes_on(engine, media):
    picture = media / "hopper" / "left.jpg"

    async def main():
        ticks = 0

        async def tick():
            nonlocal ticks
            while True:
                await asyncio.sleep(0.001)
                ticks += 1

        awaited = aio.Engine(engine)
        ticking = asyncio.create_task(tick())
        faces, embedding, boxes = await asyncio.gather(
            awaited.analyze(picture, depth="embedding"), awaited.embed(picture), awaited.detect(picture)
        )
        ticking.cancel()
        assert ticks > 2, "the loop stood still"
        return faces, embedding, boxes, await awaited.describe()

    faces, embedding, boxes, described = asyncio.run(main())
    assert embedding == engine.embed(picture) == faces[0].embedding
    assert boxes[0].bbox == faces[0].bbox and described == engine.describe()


def test_no_more_calls_run_at_once_than_the_engine_has_threads(engine):
    probe = Probe()

    async def main():
        awaited = aio.Engine(engine)
        return await asyncio.gather(*(awaited.run(probe) for _ in range(8)))

    names = asyncio.run(main())
    assert probe.most == engine.describe()["threads"] == 2
    assert all(name.startswith("faceattend-engine") for name in names)


def test_a_call_that_waits_is_cancelled_and_never_begins():
    probe = Probe()

    async def main():
        awaited = aio.Engine(limit=1)
        first = asyncio.create_task(awaited.run(probe, 0.2))
        await asyncio.sleep(0.05)
        waiting = asyncio.create_task(awaited.run(probe))
        await asyncio.sleep(0.05)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await first
        await awaited.run(time.sleep, 0)

    asyncio.run(main())
    assert probe.begun == 1


def test_a_task_that_is_cancelled_goes_on_at_once_and_the_engine_is_free_later():
    probe = Probe()

    async def main():
        awaited = aio.Engine(limit=1)
        running = asyncio.create_task(awaited.run(probe, 0.5))
        await asyncio.sleep(0.05)
        began = time.monotonic()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert time.monotonic() - began < 0.3, "the task waited for the call"
        await awaited.run(probe, 0)

    asyncio.run(main())
    assert (probe.begun, probe.most) == (2, 1), "the budget was broken by a call whose task was gone"


def test_what_a_call_raises_reaches_its_task(engine):
    async def main():
        await aio.Engine(engine).analyze(b"no picture")

    with pytest.raises(faceattend.InvalidImageError):
        asyncio.run(main())
    with pytest.raises(faceattend.InvalidInputError):
        aio.Engine(engine, threads=2)
    with pytest.raises(faceattend.InvalidInputError):
        aio.Engine(limit=0)


def test_a_session_and_a_camera_are_awaited(engine, media):
    async def main():
        awaited = aio.Engine(engine)
        session = faceattend.LivenessSession(mirrored=False)
        for position in ("center", "left", "right"):
            outcome = await awaited.observe(session, media / "collins" / f"{position}.jpg", position)
        assert outcome.session_completed
        late = await awaited.observe_answer(session, None, media / "collins" / "yaw+00.jpg", "center")
        assert late.session_completed
        gallery = faceattend.Gallery()
        gallery.insert(1, session.consume())
        recognizer = faceattend.Recognizer(engine, gallery)
        seen = await awaited.process(recognizer, media / "collins" / "yaw+05.jpg")
        assert len(seen.faces) == 1

    asyncio.run(main())


def test_a_store_and_a_book_are_awaited(engine, media, tmp_path):
    async def main():
        store = aio.Store(tmp_path / "a.db")
        await store.check()
        student = await store.create_student("Grace Hopper", "R1")
        await store.replace_templates(student.id, engine.embed(media / "hopper" / "center.jpg"))
        gallery = faceattend.Gallery()
        assert (await store.load_gallery(gallery, aio.Engine(engine)))["people"] == 1
        book = aio.AttendanceBook(store)
        marks = await asyncio.gather(*(book.mark(student.id) for _ in range(8)))
        assert sum(map(bool, marks)) == 1, "marked more than once"
        assert [record.student_id for record in await book.records()] == [student.id]
        assert (await book.summary())["unique_students"] == 1
        assert [each.id for each in await store.students("hopper")] == [student.id]
        assert (await store.update_student(student.id, name="Grace")).name == "Grace"
        assert len(await store.templates_of(student.id)) == 1
        again = await store.create_student("Grace M.", "R1-copy")
        merged = await store.merge_students(student.id, again.id)
        assert (merged.student.id, merged.erasure.student.id, merged.took_face) == (student.id, again.id, False)
        erased = await store.erase_student(student.id)
        assert (erased.student.name, erased.templates, erased.marks_deleted) == ("Grace", 1, 1)
        assert await store.student(student.id) is None

    asyncio.run(main())


def test_a_download_stops_with_its_task_and_keeps_what_has_come(silent, begun):
    told = []

    async def main():
        pulling = asyncio.create_task(
            aio.pull("minifasnet", folder=begun, progress=lambda file, done, total: told.append(done))
        )
        while not told and not pulling.done():
            await asyncio.sleep(0.02)
        began = time.monotonic()
        pulling.cancel()
        with pytest.raises(asyncio.CancelledError):
            await pulling
        assert time.monotonic() - began < 5

    asyncio.run(main())
    count = len(told)
    time.sleep(0.3)
    assert len(told) == count, "the download goes on"
    assert (begun / PART).read_bytes() == bytes(1000)


AFTER_A_FORK = """
import asyncio, os
from faceattend import aio

awaited = aio.Engine(limit=1)
parent = asyncio.run(awaited.run(os.getpid))
assert parent == os.getpid()
child = os.fork()
if child == 0:
    os._exit(0 if asyncio.run(awaited.run(os.getpid)) == os.getpid() else 3)
_, status = os.waitpid(child, 0)
raise SystemExit(os.waitstatus_to_exitcode(status))
"""


@pytest.mark.skipif(not hasattr(__import__("os"), "fork"), reason="skipped: this system does not fork")
def test_an_engine_has_threads_of_its_own_after_a_fork():
    subprocess.run([sys.executable, "-c", AFTER_A_FORK], check=True, timeout=60)
