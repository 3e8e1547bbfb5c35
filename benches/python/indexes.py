"""The other indexes of `cargo xtask bench --search`: NumPy, FAISS and usearch, one in a process, on one thread.

Does what it is told on its standard input, a line of JSON each, and answers with a line of JSON, as the worker in
`benches/src/bin/compare/index_worker.rs` does.
"""

import argparse
import ctypes
import gc
import json
import sys
import time
from pathlib import Path

import numpy as np

# What a node of the graphs is joined with, how many candidates an insertion looks at, and how many a search.
JOINED, BUILD, SEARCH = 16, 128, 64
# People who are added at a time.
BLOCK = 10_000


def people_of(folder, dimension, people):
    """The first people of `Crowd` in src/lib.rs, a block at a time."""
    drawn = np.fromfile(folder / f"crowd-{dimension}.f32", np.float32).reshape(-1, dimension)
    count = len(drawn)
    for at in range(0, people, BLOCK):
        i = np.arange(at, min(at + BLOCK, people))
        block = drawn[i % count] + 0.5 * drawn[(7 * i + i // count) % count]
        yield i, block / np.linalg.norm(block, axis=1, keepdims=True)


class Numpy:
    def __init__(self, dimension, people):
        self.rows = np.empty((people, dimension), np.float32)

    def add(self, keys, block):
        self.rows[keys] = block

    def search(self, probe, k):
        scores = self.rows @ probe
        best = np.argpartition(scores, -k)[-k:]
        return best[np.argsort(-scores[best])]


class Faiss:
    def __init__(self, dimension, graph):
        import faiss

        faiss.omp_set_num_threads(1)
        if graph:
            self.index = faiss.IndexHNSWFlat(dimension, JOINED, faiss.METRIC_INNER_PRODUCT)
            self.index.hnsw.efConstruction = BUILD
            self.index.hnsw.efSearch = SEARCH
        else:
            self.index = faiss.IndexFlatIP(dimension)

    def add(self, _, block):
        self.index.add(block)

    def search(self, probe, k):
        return self.index.search(probe[None], k)[1][0]


class Usearch:
    def __init__(self, dimension, kept_as):
        from usearch.index import Index

        self.index = Index(
            ndim=dimension, metric="cos", dtype=kept_as, connectivity=JOINED, expansion_add=BUILD,
            expansion_search=SEARCH,
        )  # fmt: skip

    def add(self, keys, block):
        self.index.add(keys, block, threads=1)

    def search(self, probe, k):
        return self.index.search(probe, k, threads=1).keys


def empty(kind, dimension, people):
    match kind:
        case "numpy":
            return Numpy(dimension, people)
        case "faiss_flat":
            return Faiss(dimension, graph=False)
        case "faiss_hnsw":
            return Faiss(dimension, graph=True)
        case "usearch_f32" | "usearch_f16" | "usearch_i8":
            return Usearch(dimension, kind.removeprefix("usearch_"))
    raise ValueError(kind)


def resident_kib():
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))


def build(folder, request):
    """An index, how long its processor worked for it, how much more memory the process holds, and how many people it
    has: fewer than asked for where it took longer than `at_most_secs`."""
    dimension, people = request["dimension"], request["people"]
    # Libraries, buffers and threads are there before memory is looked at.
    warm = empty(request["kind"], dimension, BLOCK)
    for keys, block in people_of(folder, dimension, 100):
        warm.add(keys, block)
    warm.search(block[0], 5)
    del warm, keys, block
    before = resident_kib()
    index = empty(request["kind"], dimension, people)
    secs, built = 0.0, 0
    for keys, block in people_of(folder, dimension, people):
        # A graph may take minutes for a block: it is looked at between parts.
        for part in np.array_split(np.arange(len(keys)), max(1, len(keys) // 1000)):
            began = time.process_time()
            index.add(keys[part], block[part])
            secs += time.process_time() - began
            built += len(part)
            if secs > request["at_most_secs"]:
                return index, {"build_secs": secs, "kib": resident_kib() - before, "built": built}
    del keys, block
    return index, {"build_secs": secs, "kib": resident_kib() - before, "built": built}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    print(json.dumps({}), flush=True)
    index = probes = None
    for line in sys.stdin:
        request = json.loads(line)
        if request["task"] == "build":
            index, answer = build(folder, request)
            name = f"probes-{request['dimension']}-{request['people']}.f32"
            probes = np.fromfile(folder / name, np.float32).reshape(-1, request["dimension"])
        else:
            answer = {"ms": [], "found": []}
            for probe in probes:
                began = time.perf_counter()
                found = index.search(probe, request["k"])
                answer["ms"].append((time.perf_counter() - began) * 1e3)
                answer["found"].append([int(key) for key in found])
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
