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

/// Finds the library to load: `explicit`, else `ORT_DYLIB_PATH`, else the newest one found beside the executable,
/// in the user cache that `cargo xtask setup` fills, in the Python package of the active environment, or in the
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
            "{LIBRARY} was not found. Run `cargo xtask setup`, or install the Python package `onnxruntime` into the \
             active environment, or set ORT_DYLIB_PATH to the library (1.24 or newer). Looked in:{list}"
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
        places.push(dir.join("../lib"));
        places.push(dir);
    }
    if let Some(cache) = user_cache() {
        places.extend(children(&cache.join("faceattend/onnxruntime")));
    }
    if let Some(venv) = env::var_os("VIRTUAL_ENV") {
        for python in children(&Path::new(&venv).join("lib")) {
            places.push(python.join("site-packages/onnxruntime/capi"));
        }
    }
    places.extend(
        ["/usr/local/lib", "/usr/lib", "/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/opt/homebrew/lib"]
            .map(PathBuf::from),
    );
    places
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
    fn a_library_that_was_named_and_is_not_there_is_an_error_not_a_search() {
        let error = locate(Some(Path::new("/nowhere/libonnxruntime.so"))).unwrap_err();
        assert!(error.to_string().contains("/nowhere/libonnxruntime.so"), "{error}");
    }
}
