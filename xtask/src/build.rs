//! One build for each purpose. Cargo compiles a crate again for every set of features that a call asks of it, so the
//! server, the Python module and the Node addon are built in one call, in which they share everything.

use std::env::consts::{DLL_PREFIX, DLL_SUFFIX, EXE_SUFFIX};
use std::path::PathBuf;
use std::process::Command;

use crate::Result;
use crate::setup::Cameras;
use crate::workspace::{cargo, succeed, target};

/// The library that is loaded when a camera is opened. It alone needs OpenCV's headers.
const OPENCV: &str = "faceattend-opencv";

/// How the code is compiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    /// With overflow checks and assertions, little optimized.
    Dev,
    /// For use.
    Release,
}

/// What can be built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Server,
    PythonModule,
    NodeAddon,
}

impl Part {
    fn package(self) -> &'static str {
        match self {
            Self::Server => "faceattend-server",
            Self::PythonModule => "faceattend-python",
            Self::NodeAddon => "faceattend-node",
        }
    }
}

/// What has been built, and where it lies.
#[derive(Debug, Clone)]
pub(crate) struct Built {
    folder: PathBuf,
}

/// Builds `parts` in one call.
///
/// # Errors
/// When the code does not compile.
pub(crate) fn parts(parts: &[Part], profile: Profile, cameras: Cameras) -> Result<Built> {
    let mut build = cargo(&["build", "--lib", "--bins"]);
    for part in parts {
        build.args(["--package", part.package()]);
    }
    if profile == Profile::Release {
        build.arg("--release");
    }
    if cameras == Cameras::With {
        build.args(["--package", OPENCV]);
    }
    succeed(&mut build)?;
    Built::at(profile)
}

/// The arguments of every call of cargo that belongs to the tests: all of them alike, so that each finds what another
/// has compiled.
pub(crate) fn test_arguments(cargo: &mut Command, cameras: Cameras) {
    cargo.arg("--workspace");
    if cameras == Cameras::Without {
        cargo.args(["--exclude", OPENCV]);
    }
}

/// Builds all that the tests run: the Rust tests, the server, the Python module and the Node addon.
///
/// # Errors
/// When the code does not compile.
pub(crate) fn for_tests(cameras: Cameras) -> Result<()> {
    let mut build = cargo(&["build", "--lib", "--bins", "--tests", "--examples"]);
    test_arguments(&mut build, cameras);
    succeed(&mut build)
}

impl Built {
    /// What [`for_tests`] builds, whether it has been built or not.
    ///
    /// # Errors
    /// When this program cannot tell where it is itself.
    pub(crate) fn for_tests() -> Result<Self> {
        Self::at(Profile::Dev)
    }

    fn at(profile: Profile) -> Result<Self> {
        let name = match profile {
            Profile::Dev => "debug",
            Profile::Release => "release",
        };
        Ok(Self { folder: target()?.join(name) })
    }

    /// The program `faceattend`.
    pub(crate) fn server(&self) -> PathBuf {
        self.folder.join(format!("faceattend{EXE_SUFFIX}"))
    }

    /// The server with the tests' engine.
    pub(crate) fn marker_server(&self) -> PathBuf {
        self.folder.join("examples").join(format!("marker_server{EXE_SUFFIX}"))
    }

    /// Tells `command` to load the library that reads cameras from here, and the tests in it that it must be there. A
    /// build without cameras has none.
    pub(crate) fn with_opencv(&self, command: &mut Command) {
        let library = self.folder.join(format!("{DLL_PREFIX}faceattend_opencv{DLL_SUFFIX}"));
        if library.is_file() {
            command.env("FACEATTEND_OPENCV_LIBRARY", library);
        }
    }

    /// The library of the Python module.
    pub(crate) fn python_library(&self) -> PathBuf {
        self.folder.join(format!("{DLL_PREFIX}_native{DLL_SUFFIX}"))
    }

    /// The library of the Node addon.
    pub(crate) fn node_library(&self) -> PathBuf {
        self.folder.join(format!("{DLL_PREFIX}faceattend_node{DLL_SUFFIX}"))
    }

    /// Where the addon's macros have described its types (`bindings-node/build.rs`).
    pub(crate) fn node_types(&self) -> PathBuf {
        self.folder.join("napi-types")
    }
}
