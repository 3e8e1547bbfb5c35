//! ONNX Runtime's shared library, out of the `onnxruntime` package of the Python registry: the one place where its
//! makers publish it for every platform. It goes into the user's cache, where the core looks for it.

use std::env::consts::{ARCH, OS};
use std::fmt;
use std::fs;
use std::path::PathBuf;

use crate::Result;
use crate::files::sha256;
use crate::packages::{Form, Package, unpack};
use crate::workspace::user_cache;

/// The release. The core needs 1.24 or later; the models' recorded outputs were compared under this one.
const VERSION: &str = "1.32.0";

/// The wheel of one platform, and the library in it. The hashes are those of the published files.
struct Wheel {
    os: &'static str,
    arch: &'static str,
    /// The platform as pip calls it.
    platform: &'static str,
    wheel_sha256: &'static str,
    library: &'static str,
    library_sha256: &'static str,
}

const WHEELS: &[Wheel] = &[
    Wheel {
        os: "linux",
        arch: "x86_64",
        platform: "manylinux_2_28_x86_64",
        wheel_sha256: "5a34fc4dfeb5a7b4a74c95dcba1e773d722abda720b474edf1b0c419dc6d163d",
        library: "libonnxruntime.so.1.32.0",
        library_sha256: "6c1585d1bbf45b0712ea4a21b705c5fcb4ba04ff2e30f1fbf81a49faf658638f",
    },
    Wheel {
        os: "linux",
        arch: "aarch64",
        platform: "manylinux_2_28_aarch64",
        wheel_sha256: "2303372a85299b6757b0e11e1cbf13e410ddf7e10c37f4b37e99d1c90e7daf7c",
        library: "libonnxruntime.so.1.32.0",
        library_sha256: "49852228a93995158b2a813d4df487d47a1b76b0eaa894507ef49e91b6d7954a",
    },
    Wheel {
        os: "macos",
        arch: "aarch64",
        platform: "macosx_14_0_arm64",
        wheel_sha256: "366b9e53d07812cc5c92822cecf7563b76a8a0f32ba3bb8dd232a206ac3bcb6c",
        library: "libonnxruntime.1.32.0.dylib",
        library_sha256: "fa585fabbea65b823b9a8f7e27d46aee3989d1be7e36b528203d3a1fd613aae7",
    },
];

/// The library that this machine should have, and where.
pub(super) struct Wanted {
    source: Source,
}

enum Source {
    /// The person has chosen a library.
    Chosen(PathBuf),
    /// The pinned one, in the user's cache.
    Pinned { wheel: &'static Wheel, folder: PathBuf },
}

impl Wanted {
    /// What this machine needs.
    ///
    /// # Errors
    /// On a platform that no wheel is pinned for, unless `ORT_DYLIB_PATH` names a library.
    pub(super) fn for_this_machine() -> Result<Self> {
        if let Some(path) = std::env::var_os("ORT_DYLIB_PATH").filter(|path| !path.is_empty()).map(PathBuf::from) {
            return if path.is_file() {
                Ok(Self { source: Source::Chosen(path) })
            } else {
                Err(format!("ORT_DYLIB_PATH names {}, which is no file", path.display()))
            };
        }
        let wheel = WHEELS.iter().find(|wheel| wheel.os == OS && wheel.arch == ARCH).ok_or_else(|| {
            format!(
                "set-up has no ONNX Runtime for {OS} on {ARCH}. Install ONNX Runtime 1.24 or later yourself and set \
                 ORT_DYLIB_PATH to its shared library"
            )
        })?;
        Ok(Self { source: Source::Pinned { wheel, folder: user_cache()?.join("onnxruntime").join(VERSION) } })
    }

    /// Whether the library is there and is the pinned one.
    pub(super) fn is_installed(&self) -> bool {
        match &self.source {
            Source::Chosen(_) => true,
            Source::Pinned { wheel, folder } => {
                sha256(&folder.join(wheel.library)).is_ok_and(|found| found == wheel.library_sha256)
            }
        }
    }

    /// Fetches the library.
    ///
    /// # Errors
    /// When Python or pip is missing, the registry cannot be reached, or what it serves is not the pinned file.
    pub(super) fn install(&self) -> Result<()> {
        let Source::Pinned { wheel, folder } = &self.source else { return Ok(()) };
        // In the cache itself, so that the library can be moved into place in one step.
        let scratch = folder.with_file_name(format!(".{VERSION}.{}", std::process::id()));
        let io = |e| format!("cannot write in {}: {e}", folder.display());
        fs::create_dir_all(&scratch).map_err(io)?;
        let done = (|| {
            let package = wheel.package().fetch(&scratch).map_err(|problem| {
                format!(
                    "{problem}\nWithout the registry, put {} of ONNX Runtime {VERSION} into {} yourself, or set \
                     ORT_DYLIB_PATH",
                    wheel.library,
                    folder.display()
                )
            })?;
            let library = scratch.join(wheel.library);
            unpack(&package, &format!("onnxruntime/capi/{}", wheel.library), wheel.library_sha256, &library)?;
            fs::create_dir_all(folder).and_then(|()| fs::rename(&library, folder.join(wheel.library))).map_err(io)
        })();
        // What is left over is of no use, whether it went well or not.
        let _ = fs::remove_dir_all(&scratch);
        done
    }
}

impl Wheel {
    fn package(&self) -> Package {
        Package { name: "onnxruntime", version: VERSION, sha256: self.wheel_sha256, form: Form::Wheel(self.platform) }
    }
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            Source::Chosen(path) => write!(f, "ONNX Runtime as ORT_DYLIB_PATH says ({})", path.display()),
            Source::Pinned { folder, .. } => write!(f, "ONNX Runtime {VERSION} in {}", folder.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_platform_has_its_own_files() {
        for (i, wheel) in WHEELS.iter().enumerate() {
            assert!(wheel.library.contains(VERSION), "{}", wheel.library);
            for hash in [wheel.wheel_sha256, wheel.library_sha256] {
                assert_eq!(hash.len(), 64);
                assert!(
                    !WHEELS[i + 1..].iter().any(|other| [other.wheel_sha256, other.library_sha256].contains(&hash))
                );
            }
        }
    }
}
