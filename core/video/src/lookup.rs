//! Where the library may lie.

use std::env;
use std::path::{Path, PathBuf};

/// The variable that names the library.
pub const VARIABLE: &str = "FACEATTEND_OPENCV_LIBRARY";

/// The file name of the library on this system.
#[must_use]
pub fn file_name() -> String {
    format!("{}faceattend_opencv{}", env::consts::DLL_PREFIX, env::consts::DLL_SUFFIX)
}

/// Returns the files to try, best first: the one that [`VARIABLE`] names and no other, or those beside the program and
/// beside the module that this code is a part of. Never one below the working directory, where somebody else may have
/// put it: what is found is run.
pub(crate) fn candidates() -> Vec<PathBuf> {
    if let Some(named) = env::var_os(VARIABLE).filter(|named| !named.is_empty()) {
        return vec![PathBuf::from(named)];
    }
    let program = env::current_exe().ok();
    let mut found: Vec<PathBuf> = Vec::new();
    for own in [own_file(), program].into_iter().flatten() {
        for file in near(&own) {
            if !found.contains(&file) {
                found.push(file);
            }
        }
    }
    found
}

/// Returns where the library may lie for a program or module at `own`.
fn near(own: &Path) -> Vec<PathBuf> {
    // A link in `/usr/local/bin` leads to where the package lies.
    let own = own.canonicalize().unwrap_or_else(|_| own.to_path_buf());
    let Some(folder) = own.parent().filter(|folder| folder.is_absolute()) else { return Vec::new() };
    let mut folders = vec![folder.to_path_buf()];
    if let Some(above) = folder.parent() {
        folders.extend([above.join("lib/faceattend"), above.join("lib")]);
        // The wheel puts the program into `bin`, and the library beside the module.
        folders.extend(in_python(&above.join("lib")));
        // Cargo keeps tests and examples one folder below what it builds.
        if folder.file_name().is_some_and(|name| name == "deps" || name == "examples") {
            folders.push(above.to_path_buf());
        }
    }
    folders.into_iter().map(|folder| folder.join(file_name())).collect()
}

/// Returns the folders of the Python package `faceattend` below `lib`. Debian calls the folder of packages
/// `dist-packages`.
fn in_python(lib: &Path) -> Vec<PathBuf> {
    let pythons = std::fs::read_dir(lib).into_iter().flatten().flatten().map(|entry| entry.path());
    let pythons =
        pythons.filter(|path| path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"python")));
    pythons.flat_map(|python| ["site-packages", "dist-packages"].map(|p| python.join(p).join("faceattend"))).collect()
}

/// Returns the file that this code was loaded from: the program, or the module of Python or Node.
#[cfg(unix)]
fn own_file() -> Option<PathBuf> {
    use std::ffi::{CStr, OsStr};
    use std::os::unix::ffi::OsStrExt as _;

    let own: fn() -> Option<PathBuf> = own_file;
    let mut info = std::mem::MaybeUninit::<libc::Dl_info>::zeroed();
    // SAFETY: `info` is writable, and the address is that of a function.
    let found = unsafe { libc::dladdr(own as *const libc::c_void, info.as_mut_ptr()) };
    // SAFETY: every field is a pointer, and all zeroes is one.
    let info = unsafe { info.assume_init() };
    if found == 0 || info.dli_fname.is_null() {
        return None;
    }
    // SAFETY: the linker keeps the name, which ends in a zero byte, for as long as the code is loaded.
    let name = unsafe { CStr::from_ptr(info.dli_fname) };
    let path = PathBuf::from(OsStr::from_bytes(name.to_bytes()));
    // Of a program this may be the bare name that it was started by: `current_exe` knows it better.
    path.is_absolute().then_some(path)
}

#[cfg(not(unix))]
fn own_file() -> Option<PathBuf> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_library_is_looked_for_beside_the_program_and_in_the_folder_of_libraries() {
        let root = tempfile::tempdir().unwrap();
        let program = root.path().canonicalize().unwrap().join("bin/faceattend");
        std::fs::create_dir_all(program.parent().unwrap()).unwrap();
        std::fs::write(&program, b"").unwrap();
        let above = program.parent().unwrap().parent().unwrap();
        let name = file_name();
        let expected = [above.join("bin"), above.join("lib/faceattend"), above.join("lib")].map(|f| f.join(&name));
        assert_eq!(near(&program), expected);
    }

    #[test]
    fn the_program_of_a_wheel_finds_the_library_beside_the_module() {
        let root = tempfile::tempdir().unwrap();
        let environment = root.path().canonicalize().unwrap();
        let packages = environment.join("lib/python3.12/site-packages/faceattend");
        for folder in [&packages, &environment.join("bin"), &environment.join("lib/nodejs/site-packages")] {
            std::fs::create_dir_all(folder).unwrap();
        }
        let program = environment.join("bin/faceattend");
        std::fs::write(&program, b"").unwrap();
        let places = near(&program);
        assert!(places.contains(&packages.join(file_name())), "{places:?}");
        assert!(!places.iter().any(|place| place.starts_with(environment.join("lib/nodejs"))), "{places:?}");
    }

    #[test]
    #[cfg(unix)]
    fn a_link_to_the_program_leads_to_where_it_lies() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path().canonicalize().unwrap();
        let (program, link) = (root.join("opt/faceattend"), root.join("faceattend"));
        std::fs::create_dir_all(program.parent().unwrap()).unwrap();
        std::fs::write(&program, b"").unwrap();
        std::os::unix::fs::symlink(&program, &link).unwrap();
        assert_eq!(near(&link)[0], root.join("opt").join(file_name()));
    }

    #[test]
    fn a_program_that_is_known_by_a_bare_name_alone_leads_nowhere() {
        assert_eq!(near(Path::new("no-such-program-here")), Vec::<PathBuf>::new());
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_code_knows_the_file_it_was_loaded_from() {
        if let Some(own) = own_file() {
            assert_eq!(own.canonicalize().unwrap(), env::current_exe().unwrap());
        }
    }
}
