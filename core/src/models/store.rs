//! The folder of packs, and the check of its files against the manifest.

use std::fs::File;
use std::path::{Path, PathBuf};

use super::hash::hash_of_reader;
use super::manifest::{ModelFile, Pack};
use crate::error::{Error, Result};

pub use super::hash::{hash_of, hash_of_file};

/// The environment variable that names the folder of models.
pub const MODELS_VARIABLE: &str = "FACEATTEND_MODELS";

/// A folder of packs: `<folder>/<pack>/<file>`.
///
/// ```
/// use faceattend_core::models::manifest::{Manifest, Role};
/// use faceattend_core::models::store::{FileState, ModelStore};
///
/// let store = ModelStore::at("/nowhere");
/// let pack = Manifest::embedded()?.pack("default")?;
/// let detector = pack.file(Role::Detector).expect("a detector");
/// assert_eq!(store.state(pack, detector)?, FileState::Missing);
/// # Ok::<(), faceattend_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelStore {
    folder: PathBuf,
}

/// The state of a file on disk, compared with its entry in the manifest.
///
/// ```
/// use faceattend_core::models::manifest::Manifest;
/// use faceattend_core::models::store::{FileState, ModelStore};
///
/// // The repository's own folder of models.
/// let store = ModelStore::at("../models");
/// let pack = Manifest::embedded()?.pack("default")?;
/// for file in &pack.files {
///     assert_eq!(store.state(pack, file)?, FileState::Sound);
/// }
/// # Ok::<(), faceattend_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileState {
    /// Its contents are those of the manifest.
    Sound,
    /// It does not exist.
    Missing,
    /// It has other contents.
    Damaged {
        /// What the manifest says.
        expected: String,
        /// What is there.
        found: String,
    },
    /// It exists, and the manifest has no hash to compare it with.
    Unverifiable,
}

impl ModelStore {
    /// Creates the store in `folder`, which need not exist yet.
    #[must_use]
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// Finds the store in the first of: `explicit`, the folder that `FACEATTEND_MODELS` names, `faceattend/models`
    /// in the user's folder for data (`XDG_DATA_HOME`, else `~/.local/share`; on macOS `~/Library/Application
    /// Support`, on Windows `%LOCALAPPDATA%`).
    ///
    /// # Errors
    /// [`Error::InvalidInput`] when none of these is set.
    pub fn locate(explicit: Option<&Path>) -> Result<Self> {
        Self::locate_in(explicit, |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from))
    }

    fn locate_in(explicit: Option<&Path>, variable: impl Fn(&str) -> Option<PathBuf>) -> Result<Self> {
        let user_data = || {
            if cfg!(windows) {
                variable("LOCALAPPDATA")
            } else if cfg!(target_os = "macos") {
                variable("HOME").map(|home| home.join("Library/Application Support"))
            } else {
                // The XDG specification: a relative path is invalid and to be ignored.
                variable("XDG_DATA_HOME")
                    .filter(|path| path.is_absolute())
                    .or_else(|| variable("HOME").map(|home| home.join(".local/share")))
            }
        };
        explicit
            .map(Path::to_path_buf)
            .or_else(|| variable(MODELS_VARIABLE))
            .or_else(|| user_data().map(|folder| folder.join("faceattend").join("models")))
            .map(Self::at)
            .ok_or_else(|| {
                Error::invalid_input(
                    "folder of models",
                    format!("there is no home folder to put models in; set {MODELS_VARIABLE}"),
                )
            })
    }

    /// Returns the folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Returns where `file` of `pack` lies, or would lie.
    #[must_use]
    pub fn path(&self, pack: &Pack, file: &ModelFile) -> PathBuf {
        self.folder.join(&pack.name).join(&file.name)
    }

    /// Checks what lies where `file` should. Reads all of it.
    ///
    /// # Errors
    /// [`Error::Io`] when it is there and cannot be read.
    pub fn state(&self, pack: &Pack, file: &ModelFile) -> Result<FileState> {
        state_of(&self.path(pack, file), file)
    }

    /// Checks the contents of `file` and returns its path.
    ///
    /// # Errors
    /// [`Error::Model`] naming the file, what was expected, what was found and what to run when it is missing or
    /// damaged; [`Error::Io`] when it cannot be read.
    pub fn verified(&self, pack: &Pack, file: &ModelFile) -> Result<PathBuf> {
        let path = self.path(pack, file);
        let remedy = match &file.unavailable {
            Some(reason) => reason.clone(),
            None if pack.built_in => {
                let folder = self.folder.join(&pack.name);
                format!("remove {} and the built-in copy is used", folder.display())
            }
            None => {
                let accept = if pack.requires_acceptance { " --accept-license" } else { "" };
                format!("run `faceattend models pull {}{accept}`", pack.name)
            }
        };
        match state_of(&path, file)? {
            FileState::Sound | FileState::Unverifiable => Ok(path),
            FileState::Missing => Err(Error::model(
                format!("{}/{}", pack.name, file.name),
                format!("{} is not there; {remedy}", path.display()),
            )),
            FileState::Damaged { expected, found } => Err(Error::model(
                format!("{}/{}", pack.name, file.name),
                format!("{} is damaged or another file: expected {expected}, found {found}; {remedy}", path.display()),
            )),
        }
    }
}

/// Returns what lies at `path`, against `file`'s size and hash.
pub(super) fn state_of(path: &Path, file: &ModelFile) -> Result<FileState> {
    let reading = |source| Error::Io { action: "read", path: path.to_path_buf(), source };
    let found_size = match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => metadata.len(),
        Ok(_) => {
            return Ok(FileState::Damaged { expected: "a file".into(), found: "something else of that name".into() });
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(FileState::Missing),
        Err(error) => return Err(reading(error)),
    };
    let Some(expected) = &file.sha256 else { return Ok(FileState::Unverifiable) };
    if let Some(size) = file.size
        && size != found_size
    {
        return Ok(FileState::Damaged { expected: format!("{size} bytes"), found: format!("{found_size} bytes") });
    }
    let found = hash_of_reader(File::open(path).map_err(reading)?).map_err(reading)?;
    if found == *expected {
        Ok(FileState::Sound)
    } else {
        Ok(FileState::Damaged { expected: format!("sha256 {expected}"), found: format!("sha256 {found}") })
    }
}

#[cfg(test)]
mod tests {
    use super::super::manifest::{Manifest, Role};
    use super::*;

    fn of<'a>(pairs: &'a [(&'a str, &'a str)]) -> impl Fn(&str) -> Option<PathBuf> + 'a {
        |name| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| PathBuf::from(value))
    }

    #[test]
    fn the_explicit_folder_wins_then_the_variable_then_the_user_data() {
        let all = [(MODELS_VARIABLE, "/v"), ("XDG_DATA_HOME", "/x"), ("HOME", "/h"), ("LOCALAPPDATA", "/l")];
        let explicit = ModelStore::locate_in(Some(Path::new("/e")), of(&all)).unwrap();
        assert_eq!(explicit.folder(), Path::new("/e"));
        assert_eq!(ModelStore::locate_in(None, of(&all)).unwrap().folder(), Path::new("/v"));
        let user = ModelStore::locate_in(None, of(&all[1..])).unwrap();
        assert!(user.folder().ends_with("faceattend/models"), "{user:?}");
        let error = ModelStore::locate_in(None, |_| None).unwrap_err().to_string();
        assert!(error.contains(MODELS_VARIABLE), "{error}");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_relative_xdg_folder_is_ignored() {
        let found = ModelStore::locate_in(None, of(&[("XDG_DATA_HOME", "x"), ("HOME", "/h")])).unwrap();
        assert_eq!(found.folder(), Path::new("/h/.local/share/faceattend/models"));
    }

    #[test]
    fn the_committed_default_pack_is_what_the_manifest_says() {
        let store = ModelStore::at(concat!(env!("CARGO_MANIFEST_DIR"), "/../models"));
        let pack = Manifest::embedded().unwrap().pack("default").unwrap();
        for file in &pack.files {
            assert_eq!(store.state(pack, file).unwrap(), FileState::Sound, "{}", file.name);
        }
    }

    #[test]
    fn a_missing_file_is_named_with_what_to_run() {
        let folder = tempfile::tempdir().unwrap();
        let store = ModelStore::at(folder.path());
        let pack = Manifest::embedded().unwrap().pack("buffalo_s").unwrap();
        let error = store.verified(pack, pack.file(Role::Detector).unwrap()).unwrap_err().to_string();
        assert!(error.contains("det_500m.onnx"), "{error}");
        assert!(error.contains("faceattend models pull buffalo_s --accept-license"), "{error}");
    }

    #[test]
    fn a_damaged_file_is_named_with_what_was_expected_and_found() {
        let folder = tempfile::tempdir().unwrap();
        let store = ModelStore::at(folder.path());
        let pack = Manifest::embedded().unwrap().pack("default").unwrap();
        let file = pack.file(Role::Detector).unwrap();
        let path = store.path(pack, file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();

        std::fs::write(&path, b"short").unwrap();
        let error = store.verified(pack, file).unwrap_err().to_string();
        assert!(error.contains("299389 bytes") && error.contains("5 bytes"), "{error}");
        // Nothing serves the built-in pack, so a pull would be the wrong advice.
        assert!(error.contains("built-in copy") && !error.contains("models pull"), "{error}");

        let mut bytes =
            std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../models/default/blazeface.onnx")).unwrap();
        bytes[1000] ^= 1;
        std::fs::write(&path, &bytes).unwrap();
        let error = store.verified(pack, file).unwrap_err().to_string();
        assert!(error.contains(file.sha256.as_ref().unwrap().as_str()), "{error}");
        assert!(error.contains(hash_of(&bytes).as_str()), "{error}");

        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
        assert!(matches!(store.state(pack, file).unwrap(), FileState::Damaged { .. }));
    }

    #[test]
    fn the_hash_is_sha256() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(hash_of(b"").as_str(), empty);
    }
}
