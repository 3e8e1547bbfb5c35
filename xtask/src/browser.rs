//! The browser in which pages are tried: the server's, and those of the Django app.

use std::env;
use std::path::PathBuf;

/// The variable by which the tests, these and those of the Django pages, are told which browser to use.
pub(crate) const VARIABLE: &str = "FACEATTEND_CHROMIUM";
/// What Chromium is called on Debian, on others, and by its best known maker.
const NAMES: &[&str] = &["chromium", "chromium-browser", "google-chrome"];

/// The browser of this machine: what [`VARIABLE`] names, else the first of [`NAMES`] on the path.
pub(crate) fn program() -> Option<PathBuf> {
    if let Some(named) = env::var_os(VARIABLE) {
        return Some(PathBuf::from(named));
    }
    let path = env::var_os("PATH")?;
    let folders: Vec<_> = env::split_paths(&path).collect();
    NAMES.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name))).find(|program| program.is_file())
}
