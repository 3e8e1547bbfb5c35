//! The crates: the core and those of this workspace that it needs, each checked by building it from its package.

use std::path::Path;

use serde_json::Value;

use super::compile::megabytes;
use super::folders::copy;
use crate::Result;
use crate::workspace::{cargo, output, root, succeed};

/// The crate that programs name.
const CORE: &str = "faceattend-core";
/// Where the packages are built and checked. Not among the tests' files: their flags are others.
pub(super) const TARGET: &str = "target/dist-crates";
/// What a registry takes at most, in bytes: the limit of Rust's own registry.
const LIMIT: u64 = 10 * 1024 * 1024;

/// A crate of this workspace that is published.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Crate {
    pub(super) name: String,
    version: String,
}

impl Crate {
    /// Returns the file's name of the package.
    pub(super) fn file(&self) -> String {
        format!("{}-{}.crate", self.name, self.version)
    }

    /// Returns the folder that is inside the package.
    pub(super) fn folder(&self) -> String {
        format!("{}-{}", self.name, self.version)
    }
}

/// Packs the crates into `out`, and builds each from what was packed; says how large they are.
///
/// # Errors
/// When a file is missing in a package, or one is larger than the registry takes.
pub(super) fn packages(out: &Path) -> Result<String> {
    let crates = published()?;
    let mut package = cargo(&["package", "--locked", "--allow-dirty", "--target-dir", TARGET]);
    for Crate { name, .. } in &crates {
        package.args(["--package", name]);
    }
    // As small as a check needs it.
    succeed(package.env("CARGO_PROFILE_DEV_DEBUG", "false"))?;
    let mut said = Vec::new();
    for package in &crates {
        let packed = root().join(TARGET).join("package").join(package.file());
        let size = std::fs::metadata(&packed).map_err(|e| format!("{}: {e}", packed.display()))?.len();
        if size > LIMIT {
            return Err(format!("{} has {size} bytes; the registry takes {LIMIT}", package.file()));
        }
        copy(&packed, &out.join(package.file()))?;
        said.push(format!("{} {}", package.name, megabytes(&packed)?));
    }
    Ok(said.join(", "))
}

/// Returns the core and every crate of this workspace that it may need, whatever features are asked for.
///
/// # Errors
/// When cargo cannot read the workspace.
pub(super) fn published() -> Result<Vec<Crate>> {
    let metadata = output(&mut cargo(&["metadata", "--no-deps", "--format-version=1", "--locked"]))?;
    let metadata: Value = serde_json::from_str(&metadata).map_err(|e| format!("cargo metadata: {e}"))?;
    let mut found: Vec<Crate> = Vec::new();
    let mut wanted = vec![CORE.to_owned()];
    while let Some(name) = wanted.pop() {
        let packages = metadata["packages"].as_array().into_iter().flatten();
        let Some(package) = packages.into_iter().find(|package| package["name"] == name.as_str()) else { continue };
        if found.iter().any(|known| known.name == name) {
            continue;
        }
        found.push(Crate { name, version: text(&package["version"]) });
        let dependencies = package["dependencies"].as_array().into_iter().flatten();
        // Those for tests are not needed by whoever uses the crate.
        let needed = dependencies.filter(|dependency| dependency["kind"] != "dev" && dependency["path"].is_string());
        wanted.extend(needed.map(|dependency| text(&dependency["name"])));
    }
    found.sort();
    Ok(found)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_core_is_published_with_its_models_and_the_pins_of_onnx_runtime_and_no_program() {
        let names: Vec<_> = published().unwrap().into_iter().map(|package| package.name).collect();
        for needed in ["faceattend-core", "faceattend-models", "faceattend-sface", "faceattend-runtime"] {
            assert!(names.iter().any(|name| name == needed), "{needed} is not among {names:?}");
        }
        assert!(!names.iter().any(|name| ["faceattend-server", "xtask"].contains(&name.as_str())), "{names:?}");
    }
}
