//! The wheel in a clean virtual environment of every Python that is here.

use std::path::{Path, PathBuf};
use std::{env, fs};

use super::{Stranger, debian, media, package, timed};
use crate::Result;
use crate::dist::folders::entries;
use crate::workspace::{output, root};

/// The Pythons that the wheel is for: the second number of each version.
const MINORS: std::ops::RangeInclusive<u32> = 9..=14;
/// The first Python that the registry has a new enough ONNX Runtime for (`bindings-python/pyproject.toml`).
const WITH_RUNTIME: u32 = 11;

/// Installs the wheel of `out` for every Python, registers and recognizes, and starts the server.
///
/// # Errors
/// When no Python is here, or one of the trials fails.
pub(in crate::dist) fn wheel(out: &Path) -> Result<String> {
    let wheel = package(out, "faceattend-", ".whl")?;
    let (mut said, mut failed, mut missing) = (Vec::new(), Vec::new(), Vec::new());
    for minor in MINORS {
        let tried = match interpreter(minor) {
            Some(python) => one(&wheel, &python, minor),
            None if minor == *MINORS.end() && debian::can_be_made() => debian::wheel(&wheel, minor),
            None => {
                missing.push(format!("3.{minor}"));
                continue;
            }
        };
        match tried {
            Ok(tried) => {
                println!("{tried}");
                said.push(tried);
            }
            Err(problem) => failed.push(format!("Python 3.{minor}: {problem}")),
        }
    }
    if !failed.is_empty() {
        return Err(failed.join("\n"));
    }
    if said.is_empty() {
        return Err("no Python is here to try the wheel with".to_owned());
    }
    if !missing.is_empty() {
        said.push(format!("not here: {}", missing.join(", ")));
    }
    Ok(said.join("; "))
}

fn one(wheel: &Path, python: &Path, minor: u32) -> Result<String> {
    let stranger = Stranger::new(&format!("python-3.{minor}"))?;
    let environment = stranger.home.join("venv");
    output(stranger.command(python).args(["-m", "venv"]).arg(&environment))?;
    let python = environment.join("bin/python");
    let (_, installing) = timed(|| {
        let mut pip = stranger.command(&python);
        // Nothing may be compiled, of the dependencies either.
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary=:all:"]).arg(wheel);
        output(&mut pip)
    })?;
    if minor < WITH_RUNTIME {
        // Pip has nothing new enough for these; one line fetches the library.
        output(stranger.command(&python).args(["-m", "faceattend.fetch_runtime"]))?;
    }
    let script = root().join("xtask/dist/stranger.py");
    let (_, recognizing) = timed(|| output(stranger.command(&python).arg(script).arg(media())))?;
    let ((), demo) = timed(|| stranger.demo(&environment.join("bin/faceattend")))?;
    // 200 MB each, and the next trial begins anew.
    let _ = fs::remove_dir_all(&environment);
    Ok(format!("3.{minor}: installed in {installing:.1} s, recognized in {recognizing:.1} s, demo {demo:.1} s"))
}

/// Builds the source archive of `out` with pip, as it does where there is no wheel, and imports the module.
///
/// # Errors
/// When it does not build.
pub(in crate::dist) fn sdist(out: &Path) -> Result<String> {
    let archive = package(out, "faceattend-", ".tar.gz")?;
    let stranger = Stranger::new("python-sdist")?;
    let environment = stranger.home.join("venv");
    output(stranger.command("python3").args(["-m", "venv"]).arg(&environment))?;
    let python = environment.join("bin/python");
    let mut pip = stranger.command(&python);
    for name in ["CARGO_HOME", "RUSTUP_HOME"] {
        let default = env::home_dir().map(|home| home.join(if name == "CARGO_HOME" { ".cargo" } else { ".rustup" }));
        if let Some(folder) = env::var_os(name).map(PathBuf::from).or(default) {
            pip.env(name, folder);
        }
    }
    pip.env("PATH", env::var_os("PATH").unwrap_or_default());
    // Whether it builds is asked, not how fast it runs.
    pip.env("MATURIN_PEP517_ARGS", "--profile dev").env("CARGO_PROFILE_DEV_DEBUG", "false");
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]).arg(archive);
    let (_, building) = timed(|| output(&mut pip))?;
    output(stranger.command(&python).args(["-c", "import faceattend; faceattend.Engine()"]))?;
    let _ = fs::remove_dir_all(&stranger.home);
    Ok(format!("built without optimization in {building:.0} s"))
}

/// Returns the program of Python 3.`minor`: on the path, of pyenv, or of uv.
fn interpreter(minor: u32) -> Option<PathBuf> {
    let home = env::home_dir().unwrap_or_default();
    let pyenv = env::var_os("PYENV_ROOT").map_or_else(|| home.join(".pyenv"), PathBuf::from).join("versions");
    let uv = home.join(".local/share/uv/python");
    let version = format!("3.{minor}");
    let of_version = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.trim_start_matches("cpython-").strip_prefix(&version).is_some_and(|rest| rest.starts_with(['.', '-']))
    };
    let kept = [pyenv, uv].into_iter().flat_map(|folder| entries(&folder).unwrap_or_default()).filter(of_version);
    let kept = kept.map(|folder| folder.join("bin/python3"));
    let system = ["/usr/bin", "/usr/local/bin"].map(|folder| Path::new(folder).join(format!("python{version}")));
    kept.chain(system).find(|program| program.is_file())
}
