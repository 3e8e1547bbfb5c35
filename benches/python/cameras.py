"""The peer of `cargo xtask bench --cameras`: a careful loop over OpenCV with InsightFace's package.

    cameras.py URL --detector scrfd.onnx --embedder arcface.onnx [--size 640] [--rate 5]

Reads lines "CAMERAS SECONDS": watches so many cameras from then on, and after so many seconds prints what came of it
as a line of JSON. Each camera has a thread that reads all pictures and keeps the newest that is due; as many threads
as there are processors analyze them in turn, so that no camera waits for another.
"""

import argparse
import json
import os
import queue
import sys
import threading
import time

import cv2

from insight import InsightFace


class Camera:
    def __init__(self, url, every, waiting):
        self.url, self.every, self.waiting = url, every, waiting
        self.newest, self.lock, self.analyzed, self.dropped, self.over = None, threading.Lock(), 0, 0, False
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        # A thread a stream: OpenCV would have as many as there are processors, for each.
        stream = cv2.VideoCapture(self.url, cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
        due = time.monotonic()
        while not self.over and stream.grab():
            now = time.monotonic()
            if now < due:
                continue
            # By the clock of the camera, so that what comes late does not make the next come late.
            due = max(due + self.every, now - self.every)
            there, picture = stream.retrieve()
            if not there:
                continue
            with self.lock:
                before, self.newest = self.newest, picture
            if before is None:
                self.waiting.put(self)
            else:
                self.dropped += 1

    def take(self):
        with self.lock:
            picture, self.newest = self.newest, None
        return picture


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("--detector", required=True)
    parser.add_argument("--embedder", required=True)
    parser.add_argument("--size", type=int, default=640)
    parser.add_argument("--rate", type=float, default=5)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    insight = InsightFace(arguments.detector, arguments.embedder, arguments.size)
    waiting = queue.Queue()

    def analyze():
        while True:
            camera = waiting.get()
            picture = camera.take()
            if picture is not None:
                insight.analyze(picture)
                camera.analyzed += 1

    for _ in range(len(os.sched_getaffinity(0))):
        threading.Thread(target=analyze, daemon=True).start()
    cameras = []
    print("ready", flush=True)
    for line in sys.stdin:
        wanted, seconds = int(line.split()[0]), float(line.split()[1])
        while len(cameras) > wanted:
            gone = cameras.pop()
            gone.over = True
            gone.thread.join()
        while len(cameras) < wanted:
            cameras.append(Camera(arguments.url, 1 / arguments.rate, waiting))
        # Every stream runs before the clock does.
        while any(camera.analyzed == 0 for camera in cameras):
            time.sleep(0.05)
        before = [(camera.analyzed, camera.dropped) for camera in cameras]
        began, busy = time.monotonic(), time.process_time()
        time.sleep(seconds)
        took, busy = time.monotonic() - began, time.process_time() - busy
        after = [(camera.analyzed, camera.dropped) for camera in cameras]
        rates = [(now[0] - then[0]) / took for now, then in zip(after, before)]
        dropped = sum(now[1] - then[1] for now, then in zip(after, before))
        print(json.dumps({"rates": rates, "dropped": dropped, "cpu": busy / took}), flush=True)


main()
