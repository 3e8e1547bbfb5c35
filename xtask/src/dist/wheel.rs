//! The Python packages: a wheel for every Python from 3.9 on, with the server's program in it, and the sdist.
//!
//! Maturin writes the wheel's metadata and makes the sdist. The wheel itself is packed from the release build, because
//! maturin would compile the core once more, with the module's features alone.

use std::fs;
use std::path::{Path, PathBuf};

use super::compile::{GLIBC, Release, megabytes, tool, tools_first};
use super::folders::{copy, copy_tree, fresh, only_file, set_time};
use super::notices;
use crate::Result;
use crate::workspace::{command, output, root, succeed};

/// The folder of the module's sources.
const SOURCES: &str = "bindings-python";
/// Where the wheel is put together.
const STAGING: &str = "target/dist-wheel";

/// Packs the wheel into `out`; says how large it is.
///
/// # Errors
/// When a tool cannot be installed, or the wheel asks for more of a system than its name says.
pub(super) fn wheel(release: &Release, out: &Path) -> Result<String> {
    let staging = fresh(&root().join(STAGING))?;
    let info = metadata(&staging)?;
    let tree = staging.join("tree");
    copy_tree(&root().join(SOURCES).join("python"), &tree, &is_source)?;
    copy(&release.python_library(), &tree.join("faceattend/_native.abi3.so"))?;
    // What lies in `scripts` goes into the environment's `bin`, as an executable file.
    let (name, _) = info.split_once(".dist-info").ok_or_else(|| format!("{info} is no folder of metadata"))?;
    let scripts = tree.join(format!("{name}.data/scripts"));
    copy(&release.server(), &scripts.join("faceattend"))?;
    copy_tree(&staging.join(&info), &tree.join(&info), &|_| true)?;
    describe(&tree.join(&info), release)?;

    // What a system must have, so that the module is imported and the server starts.
    let audit = audit(&pack(&tree, &staging.join("audited"))?)?;
    // OpenCV is the system's own, and so is the glibc that it asks for: it is loaded when a camera is opened.
    if let Some(opencv) = release.opencv_library() {
        copy(&opencv, &tree.join("faceattend").join(opencv.file_name().unwrap_or_default()))?;
    }
    let packed = pack(&tree, &staging.join("packed"))?;
    let published = out.join(packed.file_name().unwrap_or_default());
    copy(&packed, &published)?;
    Ok(format!("{}, {}, {audit}", file_name(&published), megabytes(&published)?))
}

/// Packs the files of `tree` into a wheel in the new folder `into`, and returns where it is.
fn pack(tree: &Path, into: &Path) -> Result<PathBuf> {
    fs::create_dir_all(into).map_err(|e| format!("cannot make {}: {e}", into.display()))?;
    let mut pack = command(tool("wheel")?);
    // It writes RECORD, the list of all files with their hashes.
    pack.arg("pack").arg(tree).arg("--dest-dir").arg(into);
    output(set_time(&mut pack)?)?;
    only_file(into)
}

/// Makes the sdist in `out`; says how large it is.
///
/// # Errors
/// When maturin cannot be installed or does not find a file.
pub(super) fn sdist(out: &Path) -> Result<String> {
    let staging = fresh(&root().join(STAGING).with_extension("sdist"))?;
    let mut maturin = command(tool("maturin")?);
    maturin.current_dir(root().join(SOURCES)).args(["sdist", "--out"]).arg(&staging);
    succeed(set_time(&mut maturin)?)?;
    let packed = only_file(&staging)?;
    let published = out.join(packed.file_name().unwrap_or_default());
    copy(&packed, &published)?;
    Ok(format!("{}, {}", file_name(&published), megabytes(&published)?))
}

/// Has maturin write METADATA and WHEEL into a folder below `staging`, and returns the folder's name.
fn metadata(staging: &Path) -> Result<String> {
    let mut maturin = command(tool("maturin")?);
    maturin.current_dir(root().join(SOURCES)).env("PATH", tools_first()?);
    maturin.args(["pep517", "write-dist-info", "--metadata-directory"]).arg(staging);
    let said = output(maturin.arg("--interpreter").arg(tool("python")?))?;
    // Its last line is the folder's name, as the standard for build tools has it.
    said.lines().last().map(str::to_owned).ok_or_else(|| "maturin names no folder of metadata".to_owned())
}

/// Writes into the metadata at `info` what maturin cannot know: the platform, and the licences.
fn describe(info: &Path, release: &Release) -> Result<()> {
    let edit = |name: &str, change: &dyn Fn(&str) -> Result<String>| {
        let path = info.join(name);
        let text = fs::read_to_string(&path).map_err(|e| format!("cannot read {}: {e}", path.display()))?;
        fs::write(&path, change(&text)?).map_err(|e| format!("cannot write {}: {e}", path.display()))
    };
    edit("WHEEL", &|text| with_platform(text, &platform(release)))?;
    let mut licenses = licenses()?;
    licenses.push(notices::write(release, &fresh(&root().join(STAGING).with_extension("notices"))?)?);
    let names: Vec<_> = licenses.iter().map(|path| file_name(path)).collect();
    for path in &licenses {
        copy(path, &info.join("licenses").join(path.file_name().unwrap_or_default()))?;
    }
    edit("METADATA", &|text| with_licenses(text, &names))
}

/// Returns the files of licences: the code's, and those of the models inside.
fn licenses() -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for (folder, prefix) in [(root().to_path_buf(), "LICENSE"), (root().join("models/default/licenses"), "")] {
        let entries = fs::read_dir(&folder).map_err(|e| format!("cannot read {}: {e}", folder.display()))?;
        found.extend(entries.flatten().map(|entry| entry.path()).filter(|path| file_name(path).starts_with(prefix)));
    }
    found.sort();
    Ok(found)
}

/// Returns the platform as wheels name it.
fn platform(release: &Release) -> String {
    let arch = release.triple.split('-').next().unwrap_or_default();
    if release.triple.contains("linux") {
        let (major, minor) = GLIBC;
        format!("manylinux_{major}_{minor}_{arch}")
    } else {
        // The oldest macOS that ONNX Runtime's own wheel installs on.
        format!("macosx_14_0_{}", if arch == "aarch64" { "arm64" } else { arch })
    }
}

/// Returns the text of WHEEL for `platform` instead of this machine's.
fn with_platform(text: &str, platform: &str) -> Result<String> {
    let tag = text.lines().find(|line| line.starts_with("Tag: ")).ok_or("the wheel's metadata have no tag")?;
    let (interpreter, _) = tag.rsplit_once('-').ok_or_else(|| format!("`{tag}` names no platform"))?;
    Ok(text.replace(tag, &format!("{interpreter}-{platform}")))
}

/// Returns the text of METADATA with a field for each file of a licence.
fn with_licenses(text: &str, names: &[String]) -> Result<String> {
    let expression = text.lines().find(|line| line.starts_with("License-Expression: "));
    let expression = expression.ok_or("the wheel's metadata name no licence")?;
    let fields: String = names.iter().map(|name| format!("\nLicense-File: {name}")).collect();
    Ok(text.replacen(expression, &format!("{expression}{fields}"), 1))
}

/// Asks auditwheel whether every program and library in the wheel runs where its name says.
fn audit(wheel: &Path) -> Result<String> {
    if !cfg!(target_os = "linux") {
        return Ok("not audited: auditwheel reads Linux's programs only".to_owned());
    }
    let said = output(command(tool("auditwheel")?).arg("show").arg(wheel))?;
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    let name = file_name(wheel);
    let promised = name.trim_end_matches(".whl").rsplit('-').next().unwrap_or_default();
    let consistent = said.split_once("platform tag: \"").and_then(|(_, rest)| rest.split_once('"'));
    match consistent {
        Some((found, _)) if is_as_old(found, promised) => Ok(format!("auditwheel: {found}")),
        _ => Err(format!("{name} asks for more than {promised}: {said}")),
    }
}

/// Whether what runs on `found` runs on `promised` too.
fn is_as_old(found: &str, promised: &str) -> bool {
    let glibc = |tag: &str| -> Option<(u32, u32)> {
        let mut words = tag.strip_prefix("manylinux_")?.split('_');
        Some((words.next()?.parse().ok()?, words.next()?.parse().ok()?))
    };
    matches!((glibc(found), glibc(promised)), (Some(found), Some(promised)) if found <= promised)
}

/// Whether a file of the sources belongs into the wheel: no library that a test has put there, no compiled Python.
fn is_source(path: &Path) -> bool {
    let name = file_name(path);
    name != "__pycache__" && !name.contains(".so") && !name.ends_with(".new")
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wheel_that_asks_for_a_newer_system_than_its_name_says_is_refused() {
        assert!(is_as_old("manylinux_2_28_x86_64", "manylinux_2_28_x86_64"));
        assert!(is_as_old("manylinux_2_17_x86_64", "manylinux_2_28_x86_64"));
        assert!(!is_as_old("manylinux_2_34_x86_64", "manylinux_2_28_x86_64"));
        assert!(!is_as_old("linux_x86_64", "manylinux_2_28_x86_64"));
    }

    #[test]
    fn the_tag_keeps_the_pythons_and_names_the_platform_that_was_linked_for() {
        let written = with_platform("Root-Is-Purelib: false\nTag: cp39-abi3-linux_x86_64\n", "manylinux_2_28_x86_64");
        assert_eq!(written.as_deref(), Ok("Root-Is-Purelib: false\nTag: cp39-abi3-manylinux_2_28_x86_64\n"));
        assert!(with_platform("Wheel-Version: 1.0\n", "any").is_err());
    }

    #[test]
    fn every_license_has_its_field() {
        let names = ["LICENSE-MIT".to_owned(), "Apache-2.0.txt".to_owned()];
        let written = with_licenses("Name: x\nLicense-Expression: MIT\nRequires-Python: >=3.9\n", &names).unwrap();
        let expected = "License-Expression: MIT\nLicense-File: LICENSE-MIT\nLicense-File: Apache-2.0.txt\nRequires";
        assert!(written.contains(expected), "{written}");
    }
}
