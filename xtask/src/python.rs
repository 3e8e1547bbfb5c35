//! Virtual environments of Python, one for each purpose.

use std::fs;
use std::path::PathBuf;

use crate::Result;
use crate::workspace::{command, root, succeed};

/// The Python of the virtual environment in `folder` of the workspace, with what the requirement `lists` name.
///
/// # Errors
/// When Python's venv is missing, or a package cannot be installed.
pub(crate) fn environment(folder: &str, lists: &[&str]) -> Result<PathBuf> {
    let environment = root().join(folder);
    let python = environment.join("bin/python");
    let mut wanted = String::new();
    for list in lists {
        wanted += &fs::read_to_string(root().join(list)).map_err(|e| format!("cannot read {list}: {e}"))?;
    }
    // What was installed last, so that a second run asks no registry.
    let stamp = environment.join("installed.txt");
    if python.exists() && fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(python);
    }
    println!("Installing Python packages into {folder} ...");
    succeed(command("python3").args(["-m", "venv"]).arg(&environment)).map_err(|problem| {
        format!("{problem}\nPython's venv is needed; on Debian and Ubuntu: sudo apt-get install --yes python3-venv")
    })?;
    let mut pip = command(&python);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
    for list in lists {
        pip.args(["-r", list]);
    }
    succeed(&mut pip)?;
    fs::write(&stamp, wanted).map_err(|e| format!("cannot write {}: {e}", stamp.display()))?;
    Ok(python)
}
