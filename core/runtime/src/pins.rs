//! The one place where the release of ONNX Runtime and its hashes stand.

use crate::{Form, Package};

/// The release of ONNX Runtime. The core needs 1.24 or later; the models' recorded outputs were compared under this
/// one.
pub const VERSION: &str = "1.32.0";

/// The terms of the library and of what is compiled into it, as they lie in every wheel of the release, with their
/// SHA-256.
pub(crate) const TERMS: [(&str, &str); 2] = [
    ("LICENSE", "2f07c72751aed99790b8a4869cf2311df85a860b22ded05fa22803587a48922c"),
    ("ThirdPartyNotices.txt", "d8696258afcf9df7827a5e01d6b6d55ee9b461b4e82020f5f48242deb9cc2270"),
];

/// The wheel of one platform, and the library in it. The hashes are those of the published files.
#[derive(Debug)]
pub(crate) struct Wheel {
    pub(crate) os: &'static str,
    pub(crate) arch: &'static str,
    /// The platform as pip calls it.
    pub(crate) platform: &'static str,
    pub(crate) wheel_sha256: &'static str,
    pub(crate) library: &'static str,
    pub(crate) library_sha256: &'static str,
}

pub(crate) const WHEELS: &[Wheel] = &[
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

impl Wheel {
    /// Returns the pinned wheel for an operating system and a processor, by Rust's names for them.
    pub(crate) fn of(os: &str, arch: &str) -> Option<&'static Self> {
        WHEELS.iter().find(|wheel| wheel.os == os && wheel.arch == arch)
    }

    /// Returns the registry's package that is the wheel.
    pub(crate) fn package(&self) -> Package {
        Package { name: "onnxruntime", version: VERSION, sha256: self.wheel_sha256, form: Form::Wheel(self.platform) }
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
