//! The npm packages: one with the addon for this platform, and the main one, which names it.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::compile::{Release, megabytes};
use super::folders::{copy, copy_tree, entries, fresh};
use super::notices;
use crate::Result;
use crate::node::{self, ADDON, npm};
use crate::workspace::{command, output, root, succeed};

/// Where the packages are put together.
const STAGING: &str = "target/dist-addon";
/// The platforms that a release has packages for: the machines of `.github/workflows/release.yml`.
const RELEASED: &[&str] = &["linux-x64-gnu", "linux-arm64-gnu", "darwin-arm64"];

/// Packs both packages into `out`; says how large they are.
///
/// # Errors
/// When Node is missing, or the types in the repository are not those of the code.
pub(super) fn packages(release: &Release, out: &Path) -> Result<String> {
    node::present()?;
    node::install(ADDON)?;
    // A copy, so that the addon that the tests use stays where it is.
    let staging = fresh(&root().join(STAGING))?;
    let package = staging.join(ADDON);
    copy_tree(&root().join(ADDON), &package, &|path| !is_made(path))?;
    copy_tree(&root().join("models/default/licenses"), &staging.join("models/default/licenses"), &|_| true)?;
    for path in entries(root())? {
        if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("LICENSE")) {
            copy(&path, &staging.join(path.file_name().unwrap_or_default()))?;
        }
    }
    link(&root().join(ADDON).join("node_modules"), &package.join("node_modules"))?;
    let script = |arguments: &[&str]| {
        let mut node = command("node");
        node.current_dir(&package).args(arguments);
        node
    };
    let mut take = script(&["scripts/build.mjs"]);
    succeed(take.arg("--library").arg(release.node_library()).arg("--types").arg(release.node_types()))?;
    let types = |folder: &Path| fs::read_to_string(folder.join("index.d.ts")).map_err(|e| format!("index.d.ts: {e}"));
    if types(&package)? != types(&root().join(ADDON))? {
        return Err(format!("{ADDON}/index.d.ts is not that of the code: `cargo xtask test --only node` writes it"));
    }
    // The platforms' packages as napi-rs lays them out; this machine's has its addon.
    output(&mut script(&["scripts/platforms.mjs"]))?;
    let addon = entries(&package)?.into_iter().find(|path| path.extension().is_some_and(|kind| kind == "node"));
    let addon = addon.ok_or("the addon was not put into its package")?;
    let platform = addon.file_stem().and_then(|stem| Path::new(stem).extension());
    let platform = platform.ok_or("the addon's name has no platform")?;
    if !RELEASED.iter().any(|released| platform == *released) {
        return Err(format!("{} is no platform that a release has a package for", platform.display()));
    }
    let platform = package.join("npm").join(platform);
    copy_tree(&staging.join("models/default/licenses"), &platform.join("licenses"), &|_| true)?;
    notices::write(release, &platform.join("licenses"))?;
    let mut beside = vec!["licenses".to_owned()];
    if let Some(opencv) = release.opencv_library() {
        let library = opencv.file_name().unwrap_or_default();
        copy(&opencv, &platform.join(library))?;
        beside.push(library.to_string_lossy().into_owned());
    }
    list_files(&platform, &beside)?;
    let carried = pack(&platform, out)?;

    // The main one carries no addon: npm takes the package of the platform that it is installed on.
    fs::remove_file(&addon).map_err(|e| format!("cannot remove {}: {e}", addon.display()))?;
    name_platforms(&package, RELEASED.iter().map(|name| package.join("npm").join(name)))?;
    let main = pack(&package, out)?;
    Ok(format!("{main}; {carried}"))
}

/// Writes the packages in the folders `platforms` into the main package's description, each with its exact version.
fn name_platforms(package: &Path, platforms: impl Iterator<Item = PathBuf>) -> Result<()> {
    let mut described = description(package)?;
    for platform in platforms {
        let platform = description(&platform)?;
        let name = platform["name"].as_str().ok_or("a platform's package has no name")?;
        described["optionalDependencies"][name] = json!(platform["version"]);
    }
    describe(package, &described)
}

/// Says to npm that `names` belong to the package of a platform.
fn list_files(platform: &Path, names: &[String]) -> Result<()> {
    let mut described = description(platform)?;
    let files = described["files"].as_array_mut().ok_or("a platform's package lists no files")?;
    files.extend(names.iter().map(|name| json!(name)));
    describe(platform, &described)
}

/// Reads the description of the package in `folder`.
pub(super) fn description(folder: &Path) -> Result<Value> {
    let path = folder.join("package.json");
    let text = fs::read_to_string(&path).map_err(|e| format!("cannot read {}: {e}", path.display()))?;
    serde_json::from_str(&text).map_err(|e| format!("{}: {e}", path.display()))
}

/// Writes the description of the package in `folder`.
fn describe(folder: &Path, described: &Value) -> Result<()> {
    let path = folder.join("package.json");
    fs::write(&path, format!("{described:#}\n")).map_err(|e| format!("cannot write {}: {e}", path.display()))
}

/// Packs the package in `folder` into `out`, and returns the file's name with its size.
fn pack(folder: &Path, out: &Path) -> Result<String> {
    let mut npm = npm(ADDON);
    npm.current_dir(folder).args(["pack", "--json", "--loglevel=error", "--pack-destination"]).arg(out);
    let said = output(&mut npm)?;
    // The script before it may print a line of its own.
    let json = said.find('[').map_or("", |start| &said[start..]);
    let packed: Value = serde_json::from_str(json).map_err(|e| format!("npm pack said `{said}`: {e}"))?;
    let name = packed[0]["filename"].as_str().ok_or_else(|| format!("npm pack named no file: {packed}"))?;
    // Older versions of npm print a scoped package's name with its slash.
    let name = name.trim_start_matches('@').replace('/', "-");
    Ok(format!("{name}, {}", megabytes(&out.join(&name))?))
}

/// Whether a file of the addon's folder is made by a build, a test or npm.
fn is_made(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    ["node_modules", "npm", "licenses", "native.js", "native.d.ts", "bench", "test"].contains(&&*name)
        || name.starts_with("LICENSE")
        || [".node", ".tgz"].iter().any(|end| name.ends_with(end))
}

/// Lets the packages of npm at `there` be found at `here`, without copying them.
fn link(there: &Path, here: &Path) -> Result<()> {
    #[cfg(unix)]
    let linked = std::os::unix::fs::symlink(there, here);
    #[cfg(windows)]
    let linked = std::os::windows::fs::symlink_dir(there, here);
    linked.map_err(|e| format!("cannot link {}: {e}", here.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_main_package_names_the_platforms_beside_what_it_named_before() {
        let folder = std::env::temp_dir().join(format!("faceattend-addon-{}", std::process::id()));
        let (main, platform) = (folder.join("main"), folder.join("platform"));
        for (place, text) in [
            (&main, r#"{ "name": "faceattend", "optionalDependencies": { "onnxruntime-node": "^1.24.1" } }"#),
            (&platform, r#"{ "name": "@faceattend/node-linux-x64-gnu", "version": "0.1.0" }"#),
        ] {
            fs::create_dir_all(place).unwrap();
            fs::write(place.join("package.json"), text).unwrap();
        }
        name_platforms(&main, [platform].into_iter()).unwrap();
        let written: Value = serde_json::from_str(&fs::read_to_string(main.join("package.json")).unwrap()).unwrap();
        fs::remove_dir_all(&folder).unwrap();
        let named = json!({ "onnxruntime-node": "^1.24.1", "@faceattend/node-linux-x64-gnu": "0.1.0" });
        assert_eq!(written["optionalDependencies"], named);
    }
}
