//! The library: found and loaded once, or linked by the caller.

use std::ffi::CStr;
use std::fmt;
use std::path::PathBuf;
use std::sync::OnceLock;

use crate::abi::{ABI, ENTRY, Entry, Table};
use crate::lookup;

/// OpenCV, loaded. It stays until the program ends: the code of a camera that is still read must not go away.
#[derive(Debug, Clone, Copy)]
pub struct Library {
    pub(crate) table: &'static Table,
}

/// Why there is no OpenCV.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum LoadError {
    /// No library is where it is looked for.
    Missing {
        /// The files that were looked for.
        looked_for: Vec<PathBuf>,
    },
    /// The library is there and cannot be loaded, for the most part because the system has no OpenCV.
    Unusable {
        /// The library.
        library: PathBuf,
        /// What the system's linker says.
        reason: String,
    },
    /// The library belongs to another version of this software.
    OtherVersion {
        /// The library.
        library: PathBuf,
    },
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { looked_for } => {
                write!(f, "{} is not there. It was looked for at", lookup::file_name())?;
                for (number, file) in looked_for.iter().enumerate() {
                    write!(f, "{} {}", if number == 0 { "" } else { "," }, file.display())?;
                }
                write!(f, "; {} may name it", lookup::VARIABLE)
            }
            Self::Unusable { library, reason } => write!(
                f,
                "{} cannot be loaded: {reason}. Install OpenCV, on Debian and Ubuntu: apt install libopencv-videoio406",
                library.display()
            ),
            Self::OtherVersion { library } => {
                write!(f, "{} belongs to another version of faceattend: install both anew", library.display())
            }
        }
    }
}

impl std::error::Error for LoadError {}

impl Library {
    /// Returns the library that the program was linked with. The compiler has seen that it is of this version.
    #[must_use]
    pub fn linked(table: &'static Table) -> Self {
        Self { table }
    }

    /// Loads the library, unless that has been done. What failed is tried again by the next call: OpenCV may have been
    /// installed meanwhile.
    ///
    /// # Errors
    /// Every kind of [`LoadError`], whose text says what to do.
    pub fn load() -> Result<Self, LoadError> {
        static LOADED: OnceLock<Library> = OnceLock::new();
        if let Some(loaded) = LOADED.get() {
            return Ok(*loaded);
        }
        let candidates = lookup::candidates();
        let Some(file) = candidates.iter().find(|file| file.is_file()) else {
            return Err(LoadError::Missing { looked_for: candidates });
        };
        let library = load(file.clone())?;
        Ok(*LOADED.get_or_init(|| library))
    }

    /// Returns OpenCV's version.
    #[must_use]
    pub fn version(&self) -> String {
        let text = (self.table.version)();
        if text.is_null() {
            return "unknown".to_owned();
        }
        // SAFETY: the library promises a static text that ends in a zero byte.
        unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
    }

    /// Whether OpenCV was made with FFmpeg, which reads streams and files.
    #[must_use]
    pub fn reads_streams(&self) -> bool {
        (self.table.reads_streams)() != 0
    }
}

fn load(file: PathBuf) -> Result<Library, LoadError> {
    let unusable = |error: libloading::Error| {
        let reason = error.to_string();
        LoadError::Unusable { library: file.clone(), reason: reason.trim_end_matches('.').to_owned() }
    };
    // SAFETY: the file is ours or the operator's: its place is the program's own, or the environment names it. What it
    // links, OpenCV, begins when it is loaded, as if the program had linked it.
    let library = unsafe { libloading::Library::new(&file) }.map_err(unusable)?;
    // SAFETY: the name is that of a function of this type in every version.
    let entry = *unsafe { library.get::<Entry>(ENTRY) }.map_err(unusable)?;
    // Never unloaded, so its functions and its table are there as long as the program.
    std::mem::forget(library);
    // SAFETY: the function takes nothing and returns a static table.
    let table = unsafe { entry() };
    if table.is_null() {
        return Err(LoadError::OtherVersion { library: file });
    }
    // SAFETY: not null and static. The version is its first field in every version; the others are only touched when
    // it is this one.
    let abi = unsafe { (&raw const (*table).abi).read() };
    if abi != ABI {
        return Err(LoadError::OtherVersion { library: file });
    }
    // SAFETY: as above, and of this version.
    Ok(Library { table: unsafe { &*table } })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_library_is_named_with_what_to_install() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(lookup::file_name());
        std::fs::write(&file, b"no library").unwrap();
        let error = load(file.clone()).unwrap_err();
        assert!(matches!(&error, LoadError::Unusable { library, .. } if *library == file), "{error:?}");
        assert!(error.to_string().contains("apt install libopencv-videoio406"), "{error}");
    }

    #[test]
    fn a_missing_library_is_named_with_the_places_and_the_variable() {
        let places = vec![PathBuf::from("/usr/bin/x.so"), PathBuf::from("/usr/lib/x.so")];
        let text = LoadError::Missing { looked_for: places }.to_string();
        assert!(text.contains("/usr/bin/x.so, /usr/lib/x.so; FACEATTEND_OPENCV_LIBRARY may name it"), "{text}");
    }
}
