//! Virtual environments of Python, one for each purpose.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::build::Built;
use crate::workspace::{command, output, root, succeed};
use crate::{Result, browser, postgres};

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

/// Tells the tests of letters which Python has a mail server; without one they say that they are left out.
pub(crate) fn with_mail_server(tests: &mut Command) {
    match environment("target/smtp-server", &["reference-server/tests/notices/requirements.txt"]) {
        Ok(python) => {
            tests.env("FACEATTEND_TEST_SMTP_PYTHON", python);
        }
        Err(problem) => println!("without a mail server: {problem}"),
    }
}

/// What the Python module's tests and examples need, in `bindings-python`.
const DEVELOPMENT: &str = "bindings-python/requirements-dev.txt";

/// The Python of a virtual environment that has the module `faceattend` of `built`, with its package as the sources
/// have it: what `maturin develop` does, without compiling the core once more with other features.
///
/// # Errors
/// When the environment cannot be made, or the library is not where it belongs.
pub(crate) fn module(built: &Built) -> Result<PathBuf> {
    let python = environment("target/python-module", &[DEVELOPMENT])?;
    let sources = root().join("bindings-python/python");
    let library = sources.join("faceattend/_native.abi3.so");
    let io = |e: std::io::Error| format!("cannot put the module's library at {}: {e}", library.display());
    // Copied beside it and renamed: a process that runs has the old file mapped and keeps it.
    let fresh = library.with_extension("new");
    fs::copy(built.python_library(), &fresh).and_then(|_| fs::rename(&fresh, &library)).map_err(io)?;
    let packages = output(command(&python).args(["-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]))?;
    let link = Path::new(packages.trim()).join("faceattend.pth");
    fs::write(&link, sources.as_os_str().as_encoded_bytes())
        .map_err(|e| format!("cannot write {}: {e}", link.display()))?;
    Ok(python)
}

/// Runs the tests of the module of `built` and the checks of its types; returns how many tests passed.
///
/// # Errors
/// When one of them fails.
pub(crate) fn test_module(built: &Built) -> Result<String> {
    let python = module(built)?;
    let folder = root().join("bindings-python");
    let run = |arguments: &[&str]| {
        let mut command = command(&python);
        command.current_dir(&folder).env("PYTHONPATH", ".").args(arguments);
        built.with_opencv(&mut command);
        if let Some(program) = browser::program() {
            command.env(browser::VARIABLE, program);
        }
        command
    };
    succeed(&mut run(&["-m", "mypy"]))?;
    succeed(&mut run(&["-m", "mypy.stubtest", "faceattend._native", "--allowlist", "tests/stubtest.txt"]))?;
    let mut tests = run(&["-m", "pytest", "--quiet", "--junit-xml", "../target/python-tests.xml"]);
    postgres::told_to(&mut tests, |tests| {
        succeed(tests)?;
        Ok(counts_in(&fs::read_to_string(root().join("target/python-tests.xml")).unwrap_or_default()))
    })
}

/// The counts in the first element of pytest's report.
fn counts_in(report: &str) -> String {
    let count = |name: &str| {
        let found = report.split_once(&format!(" {name}=\"")).and_then(|(_, rest)| rest.split_once('"'));
        found.and_then(|(number, _)| number.parse::<u32>().ok()).unwrap_or(0)
    };
    let (tests, skipped) = (count("tests"), count("skipped"));
    let failed = count("failures") + count("errors");
    format!("{} passed, {failed} failed, {skipped} skipped", tests.saturating_sub(failed + skipped))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_counts_are_read_from_pytests_report() {
        let report = r#"<testsuites><testsuite name="pytest" errors="0" failures="1" skipped="2" tests="90" time="9">"#;
        assert_eq!(counts_in(report), "87 passed, 1 failed, 2 skipped");
    }
}
