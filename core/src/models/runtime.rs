//! Finds the ONNX Runtime library.

use std::env;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

#[cfg(target_os = "windows")]
const LIBRARY: &str = "onnxruntime.dll";
#[cfg(target_os = "macos")]
const LIBRARY: &str = "libonnxruntime.dylib";
#[cfg(not(any(target_os = "windows", target_os = "macos")))]
const LIBRARY: &str = "libonnxruntime.so";

/// Finds the library to load: `explicit`, else `ORT_DYLIB_PATH`, else the newest one found where a package puts it for
/// its program (`../lib/faceattend`, as seen from the executable), beside the executable, in the Python package of the
/// environment that the executable lies in (the wheel of `faceattend` puts it there), in the user cache that `cargo
/// xtask setup` and the feature `fetch-runtime` fill, in the Python package of the active environment, or in the
/// system's folders. Never below the working directory, where somebody else may have put it: what is found is run. The
/// addon for Node names the library of its package itself.
///
/// # Errors
/// [`Error::Runtime`] naming every place looked at.
pub(super) fn locate(explicit: Option<&Path>) -> Result<PathBuf> {
    if let Some(path) = explicit {
        return existing(path, "the option names");
    }
    if let Some(path) = env::var_os("ORT_DYLIB_PATH").filter(|v| !v.is_empty()) {
        return existing(Path::new(&path), "ORT_DYLIB_PATH names");
    }
    let places = places();
    for place in &places {
        if let Some(found) = newest_in(place) {
            return Ok(found);
        }
    }
    let list = places.iter().map(|p| format!("\n  {}", p.display())).collect::<String>();
    Err(Error::Runtime {
        reason: format!(
            "{LIBRARY} was not found. Install the Python package `onnxruntime` into the active environment (`python -m \
             faceattend.fetch_runtime` where there is none for this Python), or run `cargo xtask setup` in a checkout, \
             or set ORT_DYLIB_PATH to the library (1.24 or newer). Looked in:{list}"
        ),
        source: None,
    })
}

/// Returns the ONNX Runtime library that the first engine will load, without loading it: `explicit`, else the first of
/// the usual places.
///
/// ```
/// use std::path::Path;
///
/// use faceattend_core::models::runtime_library;
///
/// assert!(runtime_library(Some(Path::new("no-such-library.so"))).is_err());
/// ```
///
/// # Errors
/// [`Error::Runtime`] naming every place looked at.
pub fn runtime_library(explicit: Option<&Path>) -> Result<PathBuf> {
    locate(explicit)
}

fn existing(path: &Path, who: &str) -> Result<PathBuf> {
    if path.is_file() {
        return Ok(path.to_path_buf());
    }
    Err(Error::Runtime { reason: format!("{who} {}, and no such file exists", path.display()), source: None })
}

fn places() -> Vec<PathBuf> {
    let mut places = Vec::new();
    if let Some(dir) = env::current_exe().ok().and_then(|exe| exe.parent().map(Path::to_path_buf)) {
        places.extend(places_of_program(&dir));
        if let Some(prefix) = dir.parent() {
            places.extend(in_python(prefix));
        }
    }
    if let Some(cache) = user_cache() {
        places.extend(children(&cache.join("faceattend/onnxruntime")));
    }
    if let Some(venv) = env::var_os("VIRTUAL_ENV") {
        places.extend(in_python(Path::new(&venv)));
    }
    places.extend(
        ["/usr/local/lib", "/usr/lib", "/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/opt/homebrew/lib"]
            .map(PathBuf::from),
    );
    places
}

/// Returns where the library of a program in the folder `dir` is: first that of its own package, which it was tried
/// with.
fn places_of_program(dir: &Path) -> [PathBuf; 3] {
    let lib = dir.parent().unwrap_or(dir).join("lib");
    [lib.join("faceattend"), lib, dir.to_path_buf()]
}

/// Returns where the package `onnxruntime` has its library in each Python of the environment or system at `prefix`.
/// Debian calls the folder of packages `dist-packages`.
fn in_python(prefix: &Path) -> Vec<PathBuf> {
    let packages = ["site-packages/onnxruntime/capi", "dist-packages/onnxruntime/capi"];
    let pythons = children(&prefix.join("lib"))
        .into_iter()
        .filter(|path| path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with("python")));
    pythons.flat_map(|python| packages.map(|packages| python.join(packages))).collect()
}

fn user_cache() -> Option<PathBuf> {
    let from_env = |name| env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    from_env("XDG_CACHE_HOME")
        .or_else(|| from_env("HOME").map(|home| home.join(".cache")))
        .or_else(|| from_env("LOCALAPPDATA"))
}

/// Returns the entries of a folder, highest version first; none when it cannot be read.
fn children(dir: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> =
        std::fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    found.sort_by_key(|path| std::cmp::Reverse(version_in(path)));
    found
}

/// Returns the library in `dir`, under its plain name or with a version behind it.
fn newest_in(dir: &Path) -> Option<PathBuf> {
    children(dir).into_iter().find(|path| {
        path.is_file()
            && path.file_name().and_then(|name| name.to_str()).is_some_and(|name| {
                name.strip_prefix(LIBRARY).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            })
    })
}

/// Returns the numbers in a file name, so that 1.10 sorts after 1.9.
fn version_in(path: &Path) -> Vec<u32> {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    name.split(|c: char| !c.is_ascii_digit()).filter_map(|part| part.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_version_in_a_folder_is_taken() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["libonnxruntime.so.1.9.0", "libonnxruntime.so.1.24.2", "libonnxruntime_providers_shared.so"] {
            std::fs::write(dir.path().join(name), b"").unwrap();
        }
        let found = newest_in(dir.path());
        if cfg!(target_os = "linux") {
            assert_eq!(found, Some(dir.path().join("libonnxruntime.so.1.24.2")));
        }
    }

    #[test]
    fn the_library_of_a_programs_own_package_comes_first() {
        let package = tempfile::tempdir().unwrap();
        let lib = package.path().join("lib/faceattend");
        std::fs::create_dir_all(&lib).unwrap();
        std::fs::create_dir_all(package.path().join("bin")).unwrap();
        let (own, another) = (lib.join(LIBRARY), lib.with_file_name(LIBRARY));
        for file in [&own, &another] {
            std::fs::write(file, b"").unwrap();
        }
        let found = || places_of_program(&package.path().join("bin")).iter().find_map(|place| newest_in(place));
        assert_eq!(found(), Some(own.clone()));
        std::fs::remove_file(own).unwrap();
        assert_eq!(found(), Some(another));
    }

    #[test]
    fn the_package_of_a_python_environment_is_found_from_its_prefix() {
        let prefix = tempfile::tempdir().unwrap();
        for folder in ["lib/python3.9/site-packages", "lib/python3.12/site-packages/onnxruntime/capi", "lib/nodejs"] {
            std::fs::create_dir_all(prefix.path().join(folder)).unwrap();
        }
        let capi = prefix.path().join("lib/python3.12/site-packages/onnxruntime/capi");
        std::fs::write(capi.join(LIBRARY), b"").unwrap();
        let places = in_python(prefix.path());
        assert_eq!(places.iter().find_map(|place| newest_in(place)), Some(capi.join(LIBRARY)));
        assert_eq!(places.first(), Some(&capi), "the newest Python goes first");
        assert!(!places.iter().any(|place| place.starts_with(prefix.path().join("lib/nodejs"))));
    }

    #[test]
    fn a_library_that_was_named_and_is_not_there_is_an_error_not_a_search() {
        let error = locate(Some(Path::new("/nowhere/libonnxruntime.so"))).unwrap_err();
        assert!(error.to_string().contains("/nowhere/libonnxruntime.so"), "{error}");
    }
}
