//! The package of Debian: what `apt install ./faceattend_*.deb` brings, with the service, its user and its settings.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::compile::{Release, megabytes};
use super::folders::{copy, entries, fresh, set_time};
use super::server_files::{PACKAGING, Server, name_of, write};
use crate::Result;
use crate::workspace::{output, root};

/// Where the package is put together.
const STAGING: &str = "target/dist-deb";
/// The settings of the service, below the root of the system.
const SETTINGS: &str = "etc/faceattend/config.toml";
const HOMEPAGE: &str = env!("CARGO_PKG_REPOSITORY");
const TOOLS: &str = "Debian's tools for packages are needed: `apt-get install dpkg-dev`";

/// Makes the package of the release in `out`; says how large it is.
///
/// # Errors
/// When Debian's tools are missing, or the program does not run on this machine.
pub(super) fn package(release: &Release, out: &Path) -> Result<String> {
    let made = build(&Server::of(release), out)?;
    Ok(format!("{}, {}", name_of(&made), megabytes(&made)?))
}

/// Makes the package of `server` in `out`; returns where it is.
///
/// # Errors
/// As [`package`].
pub(crate) fn build(server: &Server, out: &Path) -> Result<PathBuf> {
    let staging = fresh(&root().join(STAGING))?;
    let tree = staging.join("tree");
    let libraries = server.lay_out(&tree.join("usr"))?;
    write(&tree.join(SETTINGS), &server.settings()?)?;
    let packaging = root().join(PACKAGING).join("deb");
    copy(&packaging.join("copyright"), &tree.join("usr/share/doc/faceattend/copyright"))?;

    let needs = needed(&staging, &[&[tree.join("usr/bin/faceattend")], &libraries[..]].concat())?;
    let recommends = match &server.opencv_library {
        None => String::new(),
        // Without OpenCV the service starts, and opens no camera that needs it.
        Some(library) => {
            let needs = needed(&staging, std::slice::from_ref(library))?;
            let opencv: Vec<_> = needs.split(", ").filter(|package| package.starts_with("libopencv")).collect();
            format!("Recommends: {}\n", opencv.join(", "))
        }
    };
    let architecture =
        output(Command::new("dpkg").arg("--print-architecture")).map_err(|problem| no_tools(&problem))?;
    let template = packaging.join("control");
    let template = fs::read_to_string(&template).map_err(|e| format!("cannot read {}: {e}", template.display()))?;
    let control = filled(
        &template,
        &[
            ("version", &debian_version(&server.version)),
            ("architecture", architecture.trim()),
            ("installed_size", &kibibytes(&tree)?.to_string()),
            ("depends", &needs),
            ("recommends", &recommends),
            ("homepage", HOMEPAGE),
        ],
    )?;
    let meta = tree.join("DEBIAN");
    write(&meta.join("control"), &control)?;
    write(&meta.join("conffiles"), &format!("/{SETTINGS}\n"))?;
    for script in ["postinst", "prerm", "postrm"] {
        copy(&packaging.join(script), &meta.join(script))?;
    }
    set_modes(&tree)?;

    let made = out.join(format!("faceattend_{}_{}.deb", debian_version(&server.version), architecture.trim()));
    fs::create_dir_all(out).map_err(|e| format!("cannot make {}: {e}", out.display()))?;
    let mut pack = Command::new("dpkg-deb");
    // xz is small, and every Debian reads it. What is made for a trial need not be small.
    let compression = if server.release.is_some() { "-Zxz" } else { "-Zgzip" };
    pack.args(["--root-owner-group", compression, "--build"]).arg(&tree).arg(&made);
    output(set_time(&mut pack)?)?;
    Ok(made)
}

/// Returns what Debian's package has to depend on for these programs and libraries to start, with the versions.
fn needed(staging: &Path, files: &[PathBuf]) -> Result<String> {
    // The tool reads the name of the package out of the sources' description.
    write(&staging.join("debian/control"), "Source: faceattend\n\nPackage: faceattend\nArchitecture: any\n")?;
    let mut ask = Command::new("dpkg-shlibdeps");
    ask.current_dir(staging).args(["-O", "--ignore-missing-info", "--warnings=0"]);
    for file in files {
        ask.arg("-e").arg(file);
    }
    let said = output(&mut ask).map_err(|problem| no_tools(&problem))?;
    let found = said.lines().find_map(|line| line.strip_prefix("shlibs:Depends="));
    let found = found.ok_or_else(|| format!("dpkg-shlibdeps found nothing to depend on: {said}"))?;
    // The tool asks for the glibc to which functions have moved that an older one has elsewhere. The files name the
    // versions that they need themselves.
    let versions = output(Command::new("objdump").arg("-p").args(files)).map_err(|problem| no_tools(&problem))?;
    let (major, minor) = newest_glibc(&versions).ok_or("the programs name no version of glibc")?;
    let with_glibc = |package: &str| match package.split_once(' ') {
        Some(("libc6", _)) => format!("libc6 (>= {major}.{minor})"),
        _ => package.to_owned(),
    };
    Ok(found.split(", ").map(with_glibc).collect::<Vec<_>>().join(", "))
}

/// Returns the newest version of glibc among those that `objdump -p` names.
fn newest_glibc(said: &str) -> Option<(u32, u32)> {
    let versions = said.split_whitespace().filter_map(|word| word.strip_prefix("GLIBC_"));
    let numbers = versions.filter_map(|version| {
        let mut numbers = version.split('.').map(str::parse::<u32>);
        Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
    });
    numbers.max()
}

fn no_tools(problem: &str) -> String {
    format!("{TOOLS}\n{problem}")
}

/// Returns the version as Debian sorts it: 1.0.0-rc.1 comes before 1.0.0.
fn debian_version(version: &str) -> String {
    version.replacen('-', "~", 1)
}

/// Returns the template with each `{name}` replaced by its value.
fn filled(template: &str, values: &[(&str, &str)]) -> Result<String> {
    let text =
        values.iter().fold(template.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value));
    match text.split_once('{') {
        Some((_, rest)) => {
            Err(format!("the description of the package has nothing for {{{}", rest.lines().next().unwrap_or_default()))
        }
        None => Ok(text),
    }
}

/// Returns the size of everything in `folder`, in units of 1,024 bytes, each file rounded up.
fn kibibytes(folder: &Path) -> Result<u64> {
    let mut sum = 1;
    for path in entries(folder)? {
        sum += if path.is_dir() {
            kibibytes(&path)?
        } else {
            fs::metadata(&path).map_err(|e| format!("{}: {e}", path.display()))?.len().div_ceil(1024)
        };
    }
    Ok(sum)
}

/// Gives every file the mode that it has once it is installed, whatever the checkout's are.
#[cfg(unix)]
pub(super) fn set_modes(folder: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let set = |path: &Path, mode| {
        let mode = fs::Permissions::from_mode(mode);
        fs::set_permissions(path, mode).map_err(|e| format!("cannot set the mode of {}: {e}", path.display()))
    };
    set(folder, 0o755)?;
    for path in entries(folder)? {
        let name = name_of(&path);
        if path.is_dir() {
            set_modes(&path)?;
        } else if path.parent().is_some_and(|parent| parent.ends_with("bin"))
            || ["postinst", "prerm", "postrm"].contains(&&*name)
        {
            set(&path, 0o755)?;
        } else if path.ends_with(SETTINGS) {
            // Group and owner are given at the installation, when there is the group.
            set(&path, 0o640)?;
        } else {
            set(&path, 0o644)?;
        }
    }
    Ok(())
}

/// Packages for Debian are made on Debian.
#[cfg(not(unix))]
pub(super) fn set_modes(_: &Path) -> Result<()> {
    Err("this package is made on Linux".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_candidate_comes_before_its_release() {
        assert_eq!(debian_version("1.2.0-rc.1"), "1.2.0~rc.1");
        assert_eq!(debian_version("1.2.0"), "1.2.0");
    }

    #[test]
    fn the_package_asks_for_the_glibc_that_its_files_name() {
        let said = "0x00 05 GLIBC_2.14\n 0x00 06 GLIBC_2.28\n 0x00 07 GLIBC_2.2.5\n 0x00 08 GLIBCXX_3.4";
        assert_eq!(newest_glibc(said), Some((2, 28)));
        assert_eq!(newest_glibc("GLIBC_PRIVATE GLIBCXX_3.4"), None);
    }

    #[test]
    fn a_description_with_a_gap_is_refused() {
        assert_eq!(filled("Version: {version}\n", &[("version", "1")]).as_deref(), Ok("Version: 1\n"));
        assert!(filled("Version: {version}\n", &[("depends", "1")]).unwrap_err().contains("version"));
    }

    #[test]
    fn every_script_of_the_package_is_one_that_a_shell_reads() {
        for script in ["postinst", "prerm", "postrm"] {
            let path = root().join(PACKAGING).join("deb").join(script);
            output(Command::new("sh").arg("-n").arg(path)).unwrap();
        }
    }

    #[test]
    fn data_goes_when_the_package_is_purged_and_not_when_it_is_removed() {
        let script = fs::read_to_string(root().join(PACKAGING).join("deb/postrm")).unwrap();
        let (before, purge) = script.split_once("\"$1\" = purge").unwrap();
        assert!(!before.contains("rm -"), "{before}");
        assert!(purge.contains("rm -rf --one-file-system \"$data\""), "{purge}");
    }
}
