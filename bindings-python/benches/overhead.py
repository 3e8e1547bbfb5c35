"""What the binding costs, and how the module compares with Python on the same models: ratios from one run.

    python benches/overhead.py [--insightface SCRFD.onnx ARCFACE.onnx] [--repeat 30]

Needs the module, opencv-python-headless and psutil; `--insightface` also the package insightface, which then runs the
same two files. Both sides look in turns at one decoded picture, so that a busy machine is busy for both: ours and the
reference on one thread, InsightFace with the threads that it takes by itself, since it has no option for them. Memory
and import times are of processes of their own.
"""

import argparse
import hashlib
import json
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

import cv2

import faceattend

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "benches" / "python"))
PICTURE = ROOT / "examples" / "media" / "hopper" / "center.jpg"
ALONE = """
import json, resource, time
from pathlib import Path
def rss():
    text = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) for line in text.splitlines() if line.startswith("VmHWM:")) / 1024
began = time.perf_counter()
{imports}
imported = time.perf_counter()
{work}
print(json.dumps({{"import_ms": (imported - began) * 1e3, "first_ms": (time.perf_counter() - imported) * 1e3,
"peak_mib": rss()}}))
"""


def in_turns(calls, repeat):
    """The times of each call in ms, taken in turns."""
    times = {name: [] for name in calls}
    for name, call in calls.items():
        call()
    for _ in range(repeat):
        for name, call in calls.items():
            started = time.perf_counter()
            call()
            times[name].append((time.perf_counter() - started) * 1e3)
    return {name: statistics.median(each) for name, each in times.items()}


def alone(imports, work):
    """What a process of its own needs; the median of five by time."""
    code = ALONE.format(imports=imports, work=work)
    answers = []
    for _ in range(5):
        answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
        answers.append(json.loads(answer.stdout.splitlines()[-1]))
    return {key: statistics.median(answer[key] for answer in answers) for key in answers[0]}


def overhead(engine, picture):
    """Microseconds of a call that goes all the way to the core and finds nothing to do there."""
    nowhere = (-20.0, -20.0, -10.0, -10.0)
    engine.detect(picture, region=nowhere)
    batches = []
    for _ in range(20):
        started = time.perf_counter()
        for _ in range(1000):
            engine.detect(picture, region=nowhere)
        batches.append((time.perf_counter() - started) * 1e3)
    return statistics.median(batches)


def scaling(picture, repeat):
    """How many times as many frames two threads look at as one, in the same time."""

    def rate(threads):
        engine = faceattend.Engine(antispoof="off", threads=threads)
        together = threading.Barrier(threads)
        spent = []

        def work():
            # The models of the second thread are loaded when both look at once: that is not what is timed.
            for _ in range(5):
                together.wait()
                engine.analyze(picture)
            together.wait()
            started = time.perf_counter()
            for _ in range(repeat):
                engine.analyze(picture)
            spent.append(time.perf_counter() - started)

        running = [threading.Thread(target=work) for _ in range(threads)]
        [thread.start() for thread in running]
        [thread.join() for thread in running]
        return threads * repeat / max(spent)

    return statistics.median(rate(2) / rate(1) for _ in range(5))


def control():
    """The same for work that has nothing to do with us: what two threads get out of this machine at all."""
    data = bytes(1 << 24)

    def rate(threads):
        running = [threading.Thread(target=lambda: [hashlib.sha256(data) for _ in range(8)]) for _ in range(threads)]
        started = time.perf_counter()
        [thread.start() for thread in running]
        [thread.join() for thread in running]
        return threads / (time.perf_counter() - started)

    return statistics.median(rate(2) / rate(1) for _ in range(5))


def insightface_analysis(detector, embedder):
    """InsightFace's own wrappers around the same two files."""
    from insightface.model_zoo import get_model

    detection = get_model(str(detector), providers=["CPUExecutionProvider"])
    detection.prepare(ctx_id=-1, input_size=(640, 640))
    recognition = get_model(str(embedder), providers=["CPUExecutionProvider"])
    recognition.prepare(ctx_id=-1)
    from insightface.app.common import Face

    def analyze(picture):
        boxes, points = detection.detect(picture, max_num=0)
        faces = [Face(bbox=box[:4], kps=five, det_score=box[4]) for box, five in zip(boxes, points)]
        for face in faces:
            recognition.get(picture, face)
        return faces

    return analyze


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--insightface", nargs=2, type=Path, metavar=("SCRFD", "ARCFACE"))
    parser.add_argument("--repeat", type=int, default=30)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    picture = cv2.imread(str(PICTURE))
    engine = faceattend.Engine(antispoof="off", threads=1)

    print(f"overhead of a call            {overhead(engine, picture):8.1f} us")
    from reference import Pipeline

    pack = ROOT / "models" / "default"
    reference = Pipeline(pack, None, None)
    ms = in_turns(
        {"ours": lambda: engine.analyze(picture), "reference": lambda: reference.analyze(picture)}, arguments.repeat
    )
    print(
        f"a frame, default pack         {ms['ours']:8.1f} ms; onnxruntime, NumPy and OpenCV {ms['reference']:.1f} ms: "
        f"{ms['reference'] / ms['ours']:.2f} times as long"
    )
    print(
        f"two threads against one       {scaling(picture, arguments.repeat):8.2f} times as many frames; "
        f"hashing, as a control, {control():.2f}"
    )
    ours = alone("import faceattend", f"faceattend.Engine(antispoof='off', threads=1).analyze({str(PICTURE)!r})")
    theirs = alone(
        "import sys; sys.path.insert(0, 'benches/python'); import cv2, reference",
        f"reference.Pipeline(Path('models/default'), None, None).analyze(cv2.imread({str(PICTURE)!r}))",
    )
    for what, key in [
        ("import, ms", "import_ms"),
        ("to the first answer, ms", "first_ms"),
        ("peak memory, MiB", "peak_mib"),
    ]:
        print(
            f"{what:30}{ours[key]:8.1f}; onnxruntime, NumPy and OpenCV "
            f"{theirs[key]:.1f}: {theirs[key] / ours[key]:.2f} times"
        )

    if arguments.insightface:
        detector, embedder = arguments.insightface
        analyze = insightface_analysis(detector, embedder)
        own = faceattend.Engine(detector=detector, embedder=embedder, antispoof="off", threads=1)
        fixed = faceattend.Engine(detector=detector, embedder=embedder, antispoof="off", threads=1, input_size=640)
        ms = in_turns(
            {
                "ours": lambda: own.analyze(picture),
                "fixed": lambda: fixed.analyze(picture),
                "insightface": lambda: analyze(picture),
            },
            arguments.repeat,
        )
        print(
            f"a frame, InsightFace's files  {ms['ours']:8.1f} ms, {ms['fixed']:.1f} ms at its fixed size of 640; "
            f"insightface {ms['insightface']:.1f} ms: {ms['insightface'] / ms['ours']:.2f} and "
            f"{ms['insightface'] / ms['fixed']:.2f} times"
        )
        theirs = alone("import cv2, insightface, insightface.app", "")
        print(f"import, ms                    {ours['import_ms']:8.1f}; insightface {theirs['import_ms']:.1f}")


if __name__ == "__main__":
    main()
