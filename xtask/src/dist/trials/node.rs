//! The npm packages in an empty folder, without a network, on each Node that is supported.

use std::env;
use std::env::consts::{ARCH, OS};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Stranger, media, package, timed};
use crate::Result;
use crate::dist::addon::description;
use crate::node::{ADDON, npm};
use crate::workspace::{output, root};

/// The versions of Node that are tried, beside the one that is here.
const MAJORS: &[u32] = &[20, 22, 24];

/// Installs the packages of `out` for each Node, and registers and recognizes people.
///
/// # Errors
/// When a Node cannot be had from the registry, or one of the trials fails.
pub(in crate::dist) fn packages(out: &Path) -> Result<String> {
    let main = package(out, &format!("faceattend-{}", env!("CARGO_PKG_VERSION")), ".tgz")?;
    let platform = package(out, "faceattend-node-", ".tgz")?;
    let cache = root().join("target/dist-trials/npm-cache");
    warm(&cache)?;
    let mut said = Vec::new();
    for major in MAJORS {
        let node = node(*major, &cache)?;
        let trial = one(&[&main, &platform], *major, &node, &cache);
        said.push(trial.map_err(|problem| format!("Node {major}: {problem}"))?);
    }
    Ok(said.join("; "))
}

/// Puts into npm's cache what the packages need beside themselves, as their description asks for it.
fn warm(cache: &Path) -> Result<()> {
    let wanted = description(&root().join(ADDON))?["optionalDependencies"]["onnxruntime-node"].clone();
    let wanted = wanted.as_str().ok_or("the addon does not name onnxruntime-node")?.to_owned();
    let stranger = Stranger::new("node-cache")?;
    let mut npm = stranger.command("npm");
    npm.env("PATH", env::var_os("PATH").unwrap_or_default()).env("ONNXRUNTIME_NODE_INSTALL", "skip");
    npm.args(["install", "--no-audit", "--no-fund", "--loglevel=error", "--cache"]).arg(cache);
    output(npm.arg(format!("onnxruntime-node@{wanted}")))?;
    let _ = fs::remove_dir_all(&stranger.home);
    Ok(())
}

fn one(packages: &[&Path], major: u32, node: &Path, cache: &Path) -> Result<String> {
    let stranger = Stranger::new(&format!("node-{major}"))?;
    fs::write(stranger.home.join("package.json"), "{ \"name\": \"stranger\", \"private\": true }\n")
        .map_err(|e| format!("cannot write in {}: {e}", stranger.home.display()))?;
    let mut paths = vec![node.parent().unwrap_or(node).to_path_buf()];
    paths.extend(env::split_paths(&env::var_os("PATH").unwrap_or_default()));
    let paths = env::join_paths(paths).map_err(|e| format!("PATH: {e}"))?;
    let at_home = |program: &str| {
        let mut command = stranger.command(program);
        command.env("PATH", &paths).env("ONNXRUNTIME_NODE_INSTALL", "skip");
        command
    };
    let (_, installing) = timed(|| {
        let mut npm = at_home("npm");
        npm.args(["install", "--offline", "--no-audit", "--no-fund", "--loglevel=error", "--cache"]).arg(cache);
        output(npm.args(packages))
    })?;
    let script = stranger.home.join("stranger.mjs");
    fs::copy(root().join("xtask/dist/stranger.mjs"), &script).map_err(|e| format!("{}: {e}", script.display()))?;
    let (_, recognizing) = timed(|| output(at_home("node").arg(&script).arg(media())))?;
    let _ = fs::remove_dir_all(&stranger.home);
    Ok(format!("{major}: installed offline in {installing:.1} s, recognized in {recognizing:.1} s"))
}

/// Returns the program of Node `major`: the one that is here, or the one of the npm registry.
fn node(major: u32, cache: &Path) -> Result<PathBuf> {
    let here = output(Command::new("node").args(["-p", "process.version + ' ' + process.execPath"]))?;
    if let Some((version, program)) = here.trim().split_once(' ')
        && version.strip_prefix('v').is_some_and(|version| version.starts_with(&format!("{major}.")))
    {
        return Ok(PathBuf::from(program));
    }
    let arch = match ARCH {
        "x86_64" => "x64",
        "aarch64" => "arm64",
        other => other,
    };
    let system = if OS == "macos" { "darwin" } else { OS };
    let name = format!("node-{system}-{arch}");
    let folder = root().join(format!("target/dist-trials/node-of-npm-{major}"));
    let program = folder.join("node_modules").join(&name).join("bin/node");
    if !program.is_file() {
        fs::create_dir_all(&folder).map_err(|e| format!("cannot make {}: {e}", folder.display()))?;
        let mut npm = npm(ADDON);
        npm.args(["install", "--no-audit", "--no-fund", "--loglevel=error", "--no-save", "--cache"]).arg(cache);
        output(npm.arg("--prefix").arg(&folder).arg(format!("{name}@{major}")))?;
    }
    Ok(program)
}
