//! The files of an installed server below its prefix, as the package of Debian and the archive both have them: the
//! program, its libraries, the service, the manual, completions, and the terms of everything inside.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use faceattend_runtime::Library;

use super::compile::Release;
use super::folders::{copy, copy_tree, entries};
use super::notices;
use crate::Result;
use crate::workspace::{output, root, succeed};

/// What the packages are made of that no program writes, below the workspace.
pub(crate) const PACKAGING: &str = "reference-server/packaging";
/// Where the server looks for its own libraries, below the prefix.
const LIBRARIES: &str = "lib/faceattend";
/// The terms, below the prefix.
const DOCUMENTS: &str = "share/doc/faceattend";

/// A server to be packed.
pub(crate) struct Server {
    /// The program `faceattend`.
    pub(crate) program: PathBuf,
    /// The library that it loads when a camera is opened; versions before it have none.
    pub(crate) opencv_library: Option<PathBuf>,
    /// A program that describes this version: it writes the manual, the completions and the settings file.
    pub(crate) describer: PathBuf,
    /// The version, as Cargo has it.
    pub(crate) version: String,
    /// The build whose crates' licences go along; none for a package that is made for a trial.
    pub(crate) release: Option<Release>,
}

impl Server {
    /// Returns the server that the release build has made.
    pub(crate) fn of(release: &Release) -> Self {
        Self {
            program: release.server(),
            opencv_library: release.opencv_library(),
            describer: release.server(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            release: Some(release.clone()),
        }
    }

    /// Puts every file below `prefix`; returns the libraries that the server starts with.
    ///
    /// # Errors
    /// When the program does not run on this machine, or a file cannot be written.
    pub(super) fn lay_out(&self, prefix: &Path) -> Result<Vec<PathBuf>> {
        copy(&self.program, &prefix.join("bin/faceattend"))?;
        let runtime = Library::for_this_machine()?;
        if !runtime.is_installed() {
            runtime.install("python3".as_ref())?;
        }
        let libraries = prefix.join(LIBRARIES);
        for library in self.opencv_library.iter().chain([&runtime.path()]) {
            copy(library, &libraries.join(name_of(library)))?;
        }
        let packaging = root().join(PACKAGING);
        copy(&packaging.join("faceattend.service"), &prefix.join("lib/systemd/system/faceattend.service"))?;
        copy(&packaging.join("faceattend.sysusers"), &prefix.join("lib/sysusers.d/faceattend.conf"))?;
        self.describe(prefix)?;
        let documents = prefix.join(DOCUMENTS);
        terms(&runtime, &documents)?;
        if let Some(release) = &self.release {
            notices::write(release, &documents)?;
        }
        Ok(vec![libraries.join(name_of(&runtime.path()))])
    }

    /// Has the program write the manual and the completions.
    fn describe(&self, prefix: &Path) -> Result<()> {
        let manual = prefix.join("share/man/man1");
        output(self.generate(&["manual"]).arg(&manual))?;
        for page in entries(&manual)? {
            // Without its time and name, so that the same page gives the same bytes.
            succeed(Command::new("gzip").args(["-9", "--no-name"]).arg(page))?;
        }
        for (shell, file) in [
            ("bash", "share/bash-completion/completions/faceattend"),
            ("zsh", "share/zsh/vendor-completions/_faceattend"),
            ("fish", "share/fish/vendor_completions.d/faceattend.fish"),
        ] {
            write(&prefix.join(file), &output(&mut self.generate(&["completions", shell]))?)?;
        }
        Ok(())
    }

    /// Returns the settings file of an installed service, with its folders.
    ///
    /// # Errors
    /// When the program does not run on this machine.
    pub(super) fn settings(&self) -> Result<String> {
        let folders = ["data-dir=/var/lib/faceattend", "models-dir=/var/lib/faceattend/models"];
        output(&mut self.generate(&["settings", "--set", folders[0], "--set", folders[1]]))
    }

    /// Returns the call of the program that writes what describes it. The settings of this machine do not matter.
    fn generate(&self, arguments: &[&str]) -> Command {
        let mut generate = Command::new(&self.describer);
        generate.args(["--config", "/dev/null", "generate"]).args(arguments);
        generate
    }
}

/// Copies the terms of the code, of the models inside the program and of ONNX Runtime.
fn terms(runtime: &Library, documents: &Path) -> Result<()> {
    for path in entries(root())?.into_iter().filter(|path| name_of(path).starts_with("LICENSE")) {
        copy(&path, &documents.join(name_of(&path)))?;
    }
    copy(&root().join("models/README.md"), &documents.join("models/README.md"))?;
    copy_tree(&root().join("models/default/licenses"), &documents.join("models/default/licenses"), &|_| true)?;
    for path in runtime.terms("python3".as_ref())? {
        copy(&path, &documents.join("onnxruntime").join(name_of(&path)))?;
    }
    Ok(())
}

/// Writes `text` to `path`, whose folder is made where it is missing.
pub(super) fn write(path: &Path, text: &str) -> Result<()> {
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(path, text))
        .map_err(|e| format!("cannot write {}: {e}", path.display()))
}

pub(super) fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_book_shows_the_unit_that_is_installed() {
        let unit = fs::read_to_string(root().join(PACKAGING).join("faceattend.service")).unwrap();
        let page = fs::read_to_string(root().join("docs/src/install.md")).unwrap();
        assert!(page.contains(&format!("```ini\n{unit}```")), "docs/src/install.md shows another unit:\n{unit}");
    }
}
