use std::path::{Path, PathBuf};
use std::{env, fmt, fs};

use crate::pins::{TERMS, VERSION, Wheel};
use crate::{Error, Result, sha256, unpack};

/// The library of ONNX Runtime that a machine should have, and where.
#[derive(Debug)]
pub struct Library {
    source: Source,
}

#[derive(Debug)]
enum Source {
    /// The person has chosen a library.
    Chosen(PathBuf),
    /// The pinned one, in the user's cache.
    Pinned { wheel: &'static Wheel, folder: PathBuf },
}

impl Library {
    /// Returns what this machine needs.
    ///
    /// # Errors
    /// On a platform that no wheel is pinned for, unless `ORT_DYLIB_PATH` names a library.
    pub fn for_this_machine() -> Result<Self> {
        if let Some(path) = env::var_os("ORT_DYLIB_PATH").filter(|path| !path.is_empty()).map(PathBuf::from) {
            return if path.is_file() {
                Ok(Self { source: Source::Chosen(path) })
            } else {
                Err(Error(format!("ORT_DYLIB_PATH names {}, which is no file", path.display())))
            };
        }
        let (os, arch) = (env::consts::OS, env::consts::ARCH);
        let wheel = Wheel::of(os, arch).ok_or_else(|| {
            Error(format!(
                "no ONNX Runtime is pinned for {os} on {arch}. Install ONNX Runtime 1.24 or later yourself and set \
                 ORT_DYLIB_PATH to its shared library"
            ))
        })?;
        Ok(Self { source: Source::Pinned { wheel, folder: user_cache()?.join("onnxruntime").join(VERSION) } })
    }

    /// Returns where the library is, or will be.
    pub fn path(&self) -> PathBuf {
        match &self.source {
            Source::Chosen(path) => path.clone(),
            Source::Pinned { wheel, folder } => folder.join(wheel.library),
        }
    }

    /// Returns whether the library is there and is the pinned one.
    pub fn is_installed(&self) -> bool {
        match &self.source {
            Source::Chosen(_) => true,
            Source::Pinned { wheel, .. } => sha256(&self.path()).is_ok_and(|found| found == wheel.library_sha256),
        }
    }

    /// Fetches the library with the Python called `python`.
    ///
    /// # Errors
    /// When Python or pip is missing, the registry cannot be reached, or what it serves is not the pinned file.
    pub fn install(&self, python: &Path) -> Result<()> {
        let Source::Pinned { wheel, folder } = &self.source else { return Ok(()) };
        let inside = format!("capi/{}", wheel.library);
        unpacked(wheel, folder, python, &[(&inside, wheel.library_sha256)])
    }

    /// Returns the files of the library's terms, which go wherever the library goes. Fetches them with the Python
    /// called `python` where they are not there yet.
    ///
    /// # Errors
    /// For a library that the person has chosen, whose terms are not known; as [`Library::install`].
    pub fn terms(&self, python: &Path) -> Result<Vec<PathBuf>> {
        let Source::Pinned { wheel, folder } = &self.source else {
            return Err(Error(format!("{self}: its licence is not known, so it cannot be given to others")));
        };
        let files = || TERMS.iter().map(|(name, hash)| (folder.join(name), *hash));
        if !files().all(|(path, hash)| sha256(&path).is_ok_and(|found| found == hash)) {
            unpacked(wheel, folder, python, &TERMS)?;
        }
        Ok(files().map(|(path, _)| path).collect())
    }
}

/// Fetches the wheel and puts files of its package into `folder`: each by its path in the package, with its hash.
fn unpacked(wheel: &Wheel, folder: &Path, python: &Path, files: &[(&str, &str)]) -> Result<()> {
    // In the cache itself, so that each file can be moved into place in one step.
    let scratch = folder.with_file_name(format!(".{VERSION}.{}", std::process::id()));
    let io = |e| Error(format!("cannot write in {}: {e}", folder.display()));
    fs::create_dir_all(&scratch).map_err(io)?;
    let done = (|| {
        let package = wheel.package().fetch(python, &scratch).map_err(|problem| {
            Error(format!(
                "{problem}\nWithout the registry, put {} of ONNX Runtime {VERSION} into {} yourself, or set \
                 ORT_DYLIB_PATH",
                wheel.library,
                folder.display()
            ))
        })?;
        fs::create_dir_all(folder).map_err(io)?;
        for (inside, hash) in files {
            let name = Path::new(inside).file_name().unwrap_or_default();
            unpack(python, &package, &format!("onnxruntime/{inside}"), hash, &scratch.join(name))?;
            fs::rename(scratch.join(name), folder.join(name)).map_err(io)?;
        }
        Ok(())
    })();
    // What is left over is of no use, whether it went well or not.
    let _ = fs::remove_dir_all(&scratch);
    done
}

impl fmt::Display for Library {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            Source::Chosen(path) => write!(f, "ONNX Runtime as ORT_DYLIB_PATH says ({})", path.display()),
            Source::Pinned { folder, .. } => write!(f, "ONNX Runtime {VERSION} in {}", folder.display()),
        }
    }
}

/// Returns the user's cache for this project. The core looks for ONNX Runtime in it.
///
/// # Errors
/// When no variable of the environment names a folder.
pub fn user_cache() -> Result<PathBuf> {
    let absolute = |name: &str| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    absolute("XDG_CACHE_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".cache")))
        .map(|cache| cache.join("faceattend"))
        .ok_or_else(|| Error("neither XDG_CACHE_HOME nor HOME names a folder to keep ONNX Runtime in".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pinned(folder: &Path) -> Library {
        let wheel = Wheel::of("linux", "x86_64").unwrap();
        Library { source: Source::Pinned { wheel, folder: folder.to_path_buf() } }
    }

    #[test]
    fn another_library_of_the_same_name_is_not_taken_for_the_pinned_one() {
        let folder = tempfile::tempdir().unwrap();
        let library = pinned(folder.path());
        assert!(!library.is_installed());
        fs::write(library.path(), b"another library").unwrap();
        assert!(!library.is_installed());
    }

    #[test]
    fn a_python_that_is_not_there_is_said_with_what_to_do_and_nothing_is_left_behind() {
        let cache = tempfile::tempdir().unwrap();
        let library = pinned(&cache.path().join(VERSION));
        let problem = library.install(Path::new("/nowhere/python3")).unwrap_err().to_string();
        for needed in ["apt-get install", "ORT_DYLIB_PATH", VERSION] {
            assert!(problem.contains(needed), "{needed}: {problem}");
        }
        assert_eq!(fs::read_dir(cache.path()).unwrap().count(), 0);
    }
}
