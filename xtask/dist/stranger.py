"""What somebody does who has just installed the package: registers three people and recognizes them.

The argument is the folder of the sample media. Nothing of the repository but its pictures is used.
"""

import pathlib
import sys
import tempfile

import faceattend

media = pathlib.Path(sys.argv[1])
people = {"collins": "Eileen Collins", "hopper": "Grace Hopper", "obama": "Barack Obama"}
assert pathlib.Path(faceattend.__file__).is_relative_to(sys.prefix), faceattend.__file__
engine = faceattend.Engine()
with tempfile.TemporaryDirectory() as folder:
    store = faceattend.Store(pathlib.Path(folder) / "attendance.db")
    for number, (name, full_name) in enumerate(people.items()):
        session = faceattend.LivenessSession(mirrored=False)
        for position in ("center", "left", "right"):
            session.observe(media / name / f"{position}.jpg", position, engine)
        store.register_student(session, full_name, f"R-{number}")
    gallery = faceattend.Gallery()
    store.load_gallery(gallery, engine)
    book = faceattend.AttendanceBook(store, faceattend.AttendancePolicy("Europe/Berlin"))
    for name, full_name in people.items():
        [face] = engine.analyze(media / name / "yaw+15.jpg")
        seen = gallery.identify(face.embedding)
        assert seen.student_id, f"{name} is not recognized"
        marking = book.mark(seen.student_id, seen.best.similarity, "Front door")
        assert marking.is_new and marking.record.student_name == full_name, marking.record
    del book, store
print(f"registered and recognized {len(people)} on Python {sys.version.split()[0]}")
