//! The release build: the server, the Python module and the Node addon in one call of cargo, in which they share
//! everything. On Linux they are linked against an old glibc, so that they run on older systems than this one.

use std::env;
use std::env::consts::{ARCH, DLL_PREFIX, DLL_SUFFIX, EXE_SUFFIX};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Result;
use crate::python::environment;
use crate::setup::Cameras;
use crate::workspace::{cargo, command, root, succeed};

/// The tools that are no part of Rust, pinned.
const TOOLS: &str = "xtask/dist/requirements.txt";
/// Their virtual environment.
const TOOLS_FOLDER: &str = "target/dist-tools";
/// A target folder of its own: its flags are not those of the tests.
const TARGET: &str = "target/dist-build";
/// That of the library that reads cameras: it is linked with this machine's OpenCV, and so with its glibc.
const OPENCV_TARGET: &str = "target/dist-opencv";
/// The glibc that the programs ask for at least: the one of ONNX Runtime's own wheels, which they load.
pub(crate) const GLIBC: (u32, u32) = (2, 28);

/// The compiled programs and libraries of one platform, whether they have been built or not.
#[derive(Debug, Clone)]
pub(crate) struct Release {
    /// Rust's name of the platform.
    pub(crate) triple: String,
    cameras: Cameras,
    folder: PathBuf,
}

impl Release {
    /// Returns what [`Release::build`] makes on this machine.
    ///
    /// # Errors
    /// When rustc does not say what machine this is.
    pub(crate) fn of_this_machine(cameras: Cameras) -> Result<Self> {
        let triple = if cfg!(target_os = "linux") { format!("{ARCH}-unknown-linux-gnu") } else { host()? };
        let folder = root().join(TARGET).join(&triple).join("dist");
        Ok(Self { triple, cameras, folder })
    }

    /// Compiles all of it in one call.
    ///
    /// # Errors
    /// When the tools cannot be installed, or the code does not compile.
    pub(crate) fn build(&self) -> Result<()> {
        let mut build = if cfg!(target_os = "linux") {
            let mut build = zig("zigbuild")?;
            let (major, minor) = GLIBC;
            build.arg(format!("--target={}.{major}.{minor}", self.triple));
            build
        } else {
            let mut build = cargo(&["build"]);
            build.arg(format!("--target={}", self.triple));
            build
        };
        build.args(["--locked", "--profile=dist", "--lib", "--bins"]);
        build.arg("--target-dir").arg(root().join(TARGET));
        selection(&mut build);
        succeed(&mut build)?;
        if self.cameras == Cameras::Without {
            return Ok(());
        }
        let mut library = cargo(&["build", "--locked", "--profile=dist", "--package=faceattend-opencv"]);
        succeed(library.arg("--target-dir").arg(root().join(OPENCV_TARGET)))
    }

    /// The program `faceattend`.
    pub(crate) fn server(&self) -> PathBuf {
        self.folder.join(format!("faceattend{EXE_SUFFIX}"))
    }

    /// The library that server, module and addon load when the first camera is opened, and look for beside themselves.
    /// None when the cameras are left out.
    pub(crate) fn opencv_library(&self) -> Option<PathBuf> {
        let name = format!("{DLL_PREFIX}faceattend_opencv{DLL_SUFFIX}");
        (self.cameras == Cameras::With).then(|| root().join(OPENCV_TARGET).join("dist").join(name))
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

    /// Returns the sizes of what has been built, on one line.
    ///
    /// # Errors
    /// When one of them has not been built.
    pub(crate) fn describe(&self) -> Result<String> {
        let mut said = Vec::new();
        let programs =
            [("server", self.server()), ("Python module", self.python_library()), ("Node addon", self.node_library())];
        let cameras = self.opencv_library().map(|library| ("OpenCV's cameras", library));
        for (name, path) in programs.into_iter().chain(cameras) {
            said.push(format!("{name} {}", megabytes(&path)?));
        }
        let types = self.node_types();
        fs::metadata(&types).map_err(|e| format!("{}: {e}", types.display()))?;
        Ok(format!("{}, {}", self.triple, said.join(", ")))
    }
}

/// Says to cargo what is compiled: the packages and their features.
pub(crate) fn selection(cargo: &mut Command) {
    for package in ["faceattend-server", "faceattend-python", "faceattend-node"] {
        cargo.args(["--package", package]);
    }
    // Nothing that is linked to OpenCV: a machine without it must start them.
    cargo.args(["--no-default-features", "--features", "faceattend-python/postgres,faceattend-node/postgres"]);
}

/// Returns the size of the file in megabytes (1,000,000 bytes), such as "12.3 MB", or in kilobytes where it is small.
///
/// # Errors
/// When it is not there.
pub(crate) fn megabytes(path: &Path) -> Result<String> {
    let size = fs::metadata(path).map_err(|e| format!("{}: {e}", path.display()))?.len();
    if size < 1_000_000 {
        return Ok(format!("{} kB", size.div_ceil(1000)));
    }
    Ok(format!("{}.{} MB", size / 1_000_000, size % 1_000_000 / 100_000))
}

/// Returns the path of a program of the pinned tools, which are installed first where they are not there.
///
/// # Errors
/// When they cannot be installed.
pub(crate) fn tool(name: &str) -> Result<PathBuf> {
    let python = environment(TOOLS_FOLDER, &[TOOLS])?;
    Ok(python.with_file_name(format!("{name}{EXE_SUFFIX}")))
}

/// Returns a call of cargo by the `verb` of `cargo-zigbuild`, with Zig as linker and as compiler of C.
///
/// # Errors
/// When the tools cannot be installed.
pub(crate) fn zig(verb: &str) -> Result<Command> {
    let mut cargo = command(tool("cargo-zigbuild")?);
    cargo.arg(verb).env("PATH", tools_first()?);
    Ok(cargo)
}

/// Returns the search path with the tools' folder first: `cargo-zigbuild` calls zig through the `python3` it finds.
pub(super) fn tools_first() -> Result<OsString> {
    let folders = env::var_os("PATH").unwrap_or_default();
    let tools = root().join(TOOLS_FOLDER).join("bin");
    env::join_paths([tools].into_iter().chain(env::split_paths(&folders))).map_err(|e| format!("PATH: {e}"))
}

fn host() -> Result<String> {
    let said = crate::workspace::output(command("rustc").arg("-vV"))?;
    let host = said.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).ok_or_else(|| format!("rustc does not say what machine this is:\n{said}"))
}
