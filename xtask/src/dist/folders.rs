//! Folders in which packages are put together.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Result;
use crate::workspace::{command, output};

/// Returns `folder`, made and empty.
///
/// # Errors
/// When what is there cannot be removed, or the folder cannot be made.
pub(super) fn fresh(folder: &Path) -> Result<PathBuf> {
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(|e| format!("cannot remove {}: {e}", folder.display()))?;
    }
    fs::create_dir_all(folder).map_err(|e| format!("cannot make {}: {e}", folder.display()))?;
    Ok(folder.to_path_buf())
}

/// Copies the file `from` to `to`, whose folder is made where it is missing.
///
/// # Errors
/// When that cannot be read, or this not be written.
pub(super) fn copy(from: &Path, to: &Path) -> Result<()> {
    let folder = to.parent().unwrap_or(to);
    fs::create_dir_all(folder).map_err(|e| format!("cannot make {}: {e}", folder.display()))?;
    fs::copy(from, to).map_err(|e| format!("cannot copy {} to {}: {e}", from.display(), to.display()))?;
    Ok(())
}

/// Copies what `belongs` of the folder `from` to `to`, with all folders below.
///
/// # Errors
/// As [`copy`].
pub(super) fn copy_tree(from: &Path, to: &Path, belongs: &dyn Fn(&Path) -> bool) -> Result<()> {
    for path in entries(from)?.into_iter().filter(|path| belongs(path)) {
        let copied = to.join(path.file_name().unwrap_or_default());
        if path.is_dir() { copy_tree(&path, &copied, belongs)? } else { copy(&path, &copied)? }
    }
    Ok(())
}

/// Returns what lies in `folder`, in the order of names.
///
/// # Errors
/// When it cannot be read.
pub(super) fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let read = fs::read_dir(folder).map_err(|e| format!("cannot read {}: {e}", folder.display()))?;
    let mut found: Vec<_> = read.flatten().map(|entry| entry.path()).collect();
    found.sort();
    Ok(found)
}

/// Returns the one file in `folder`.
///
/// # Errors
/// When there is none, or more than one.
pub(super) fn only_file(folder: &Path) -> Result<PathBuf> {
    let found = entries(folder)?;
    match found.as_slice() {
        [file] => Ok(file.clone()),
        _ => Err(format!("{} has {} files where one belongs", folder.display(), found.len())),
    }
}

/// Gives `command` the time of the commit as the time of what it packs, so that the same sources give the same bytes.
///
/// # Errors
/// When this program cannot start git. Outside a checkout the files keep their own times.
pub(super) fn set_time(program: &mut Command) -> Result<&mut Command> {
    if std::env::var_os("SOURCE_DATE_EPOCH").is_none()
        && let Ok(time) = output(command("git").args(["log", "-1", "--format=%ct"]))
    {
        program.env("SOURCE_DATE_EPOCH", time.trim());
    }
    Ok(program)
}
