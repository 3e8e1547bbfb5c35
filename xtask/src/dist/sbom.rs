//! The bill of materials: what is compiled into the release, in CycloneDX's JSON (specification 1.6).

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::{Map, Value, json};

use super::compile::{Release, selection};
use crate::Result;
use crate::workspace::{cargo, output, root};

/// Writes the bill into `out`; says how many parts it names.
///
/// # Errors
/// When cargo cannot tell what is compiled, or a file cannot be read or written.
pub(super) fn write(release: &Release, out: &Path) -> Result<String> {
    let compiled = compiled(release)?;
    let metadata = output(&mut cargo(&["metadata", "--format-version=1", "--locked"]))?;
    let metadata: Value = serde_json::from_str(&metadata).map_err(|e| format!("cargo metadata: {e}"))?;
    let read = |name: &str| -> Result<toml::Table> {
        let path = root().join(name);
        let text = fs::read_to_string(&path).map_err(|e| format!("cannot read {}: {e}", path.display()))?;
        text.parse().map_err(|e| format!("{}: {e}", path.display()))
    };
    let mut parts = crates(&metadata, &compiled, &checksums(&read("Cargo.lock")?));
    parts.extend(models(&read("models/manifest.toml")?));
    let count = parts.len();
    let version = env!("CARGO_PKG_VERSION");
    let bill = json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": { "type": "application", "bom-ref": "faceattend", "name": "faceattend", "version": version },
            "properties": [{ "name": "faceattend:platform", "value": release.triple }],
        },
        "components": parts,
        "dependencies": dependencies(&metadata, &compiled),
    });
    let name = format!("faceattend-{version}-{}.cdx.json", release.triple);
    let path = out.join(&name);
    fs::write(&path, format!("{bill:#}\n")).map_err(|e| format!("cannot write {}: {e}", path.display()))?;
    Ok(format!("{name}, {count} parts"))
}

/// A crate by name and version.
pub(super) type Key = (String, String);

/// Returns the crates that the release build compiles into its programs, or needs to compile them.
pub(super) fn compiled(release: &Release) -> Result<BTreeSet<Key>> {
    let mut tree = cargo(&["tree", "--locked", "--prefix=none", "--format={p}", "--edges=normal,build"]);
    tree.arg(format!("--target={}", release.triple));
    selection(&mut tree);
    Ok(output(&mut tree)?.lines().filter_map(key).collect())
}

/// Returns name and version of a line such as `serde v1.0.219 (proc-macro)`.
fn key(line: &str) -> Option<Key> {
    let mut words = line.split_whitespace();
    Some((words.next()?.to_owned(), words.next()?.strip_prefix('v')?.to_owned()))
}

/// Returns the hash of each crate's package as the registry has it.
fn checksums(lock: &toml::Table) -> BTreeMap<Key, String> {
    let text = |package: &toml::Value, name: &str| Some(package.get(name)?.as_str()?.to_owned());
    let packages = lock.get("package").and_then(toml::Value::as_array).into_iter().flatten();
    packages
        .filter_map(|package| Some(((text(package, "name")?, text(package, "version")?), text(package, "checksum")?)))
        .collect()
}

fn crates(metadata: &Value, compiled: &BTreeSet<Key>, checksums: &BTreeMap<Key, String>) -> Vec<Value> {
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let described = packages.filter_map(|package| {
        let key = (package["name"].as_str()?.to_owned(), package["version"].as_str()?.to_owned());
        if !compiled.contains(&key) {
            return None;
        }
        let mut part = Map::new();
        part.insert("type".into(), "library".into());
        part.insert("bom-ref".into(), reference(&key).into());
        part.insert("name".into(), key.0.clone().into());
        part.insert("version".into(), key.1.clone().into());
        if let Some(license) = package["license"].as_str() {
            // Old crates separate two licences by a slash, where the standard has `OR`.
            part.insert("licenses".into(), json!([{ "expression": license.replace('/', " OR ") }]));
        }
        if let Some(checksum) = checksums.get(&key) {
            part.insert("hashes".into(), json!([{ "alg": "SHA-256", "content": checksum }]));
            part.insert("purl".into(), reference(&key).into());
        }
        if let Some(repository) = package["repository"].as_str() {
            part.insert("externalReferences".into(), json!([{ "type": "vcs", "url": repository }]));
        }
        Some(Value::Object(part))
    });
    described.collect()
}

/// Returns the built-in models: data, which no crate of a registry describes.
fn models(manifest: &toml::Table) -> Vec<Value> {
    let mut parts = Vec::new();
    for pack in manifest.get("pack").and_then(toml::Value::as_array).into_iter().flatten() {
        if pack.get("built_in").and_then(toml::Value::as_bool) != Some(true) {
            continue;
        }
        for file in pack.get("file").and_then(toml::Value::as_array).into_iter().flatten() {
            let text = |name: &str| file.get(name).and_then(toml::Value::as_str);
            let (Some(name), Some(hash)) = (text("name"), text("sha256")) else { continue };
            let mut part = json!({
                "type": "machine-learning-model",
                "bom-ref": format!("model:{name}"),
                "name": name,
                "hashes": [{ "alg": "SHA-256", "content": hash }],
            });
            let of_pack = || pack.get("license").and_then(toml::Value::as_str);
            if let Some(license) = text("license").or_else(of_pack) {
                part["licenses"] = json!([{ "expression": license }]);
            }
            parts.push(part);
        }
    }
    parts
}

/// Returns which crate needs which, and what the release itself consists of.
fn dependencies(metadata: &Value, compiled: &BTreeSet<Key>) -> Vec<Value> {
    let mut keys = BTreeMap::new();
    for package in metadata["packages"].as_array().into_iter().flatten() {
        if let (Some(id), Some(name), Some(version)) =
            (package["id"].as_str(), package["name"].as_str(), package["version"].as_str())
        {
            keys.insert(id, (name.to_owned(), version.to_owned()));
        }
    }
    let known = |id: &Value| keys.get(id.as_str()?).filter(|key| compiled.contains(*key));
    let roots = ["faceattend-server", "faceattend-python", "faceattend-node"];
    let roots: Vec<_> = compiled.iter().filter(|(name, _)| roots.contains(&name.as_str())).map(reference).collect();
    let mut edges = vec![json!({ "ref": "faceattend", "dependsOn": roots })];
    for node in metadata["resolve"]["nodes"].as_array().into_iter().flatten() {
        let Some(from) = known(&node["id"]) else { continue };
        let needed = node["deps"].as_array().into_iter().flatten().filter(|dependency| {
            let kinds = dependency["dep_kinds"].as_array().into_iter().flatten();
            kinds.into_iter().any(|kind| kind["kind"] != "dev")
        });
        let to: BTreeSet<_> = needed.filter_map(|dependency| known(&dependency["pkg"])).map(reference).collect();
        edges.push(json!({ "ref": reference(from), "dependsOn": to }));
    }
    edges
}

/// Returns the name of a crate by which the bill refers to it: its package URL.
fn reference((name, version): &Key) -> String {
    format!("pkg:cargo/{name}@{version}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_tree_gives_name_and_version() {
        let found = key("faceattend-core v0.1.0 (/source/core) (*)");
        assert_eq!(found, Some(("faceattend-core".to_owned(), "0.1.0".to_owned())));
        assert_eq!(key(""), None);
    }

    #[test]
    fn a_crate_that_is_not_compiled_is_not_named() {
        let metadata = json!({ "packages": [
            { "name": "used", "version": "1.0.0", "license": "MIT/Apache-2.0" },
            { "name": "used", "version": "0.9.0", "license": "MIT" },
            { "name": "tests-only", "version": "1.0.0", "license": "MIT" },
        ]});
        let used = ("used".to_owned(), "1.0.0".to_owned());
        let checksums = BTreeMap::from([(used.clone(), "ab".to_owned())]);
        let parts = crates(&metadata, &BTreeSet::from([used]), &checksums);
        assert_eq!(parts.len(), 1, "{parts:?}");
        assert_eq!(parts[0]["purl"], "pkg:cargo/used@1.0.0");
        assert_eq!(parts[0]["licenses"][0]["expression"], "MIT OR Apache-2.0");
        assert_eq!(parts[0]["hashes"][0]["content"], "ab");
    }

    #[test]
    fn the_built_in_models_are_named_with_their_hashes_and_no_others() {
        let manifest = fs::read_to_string(root().join("models/manifest.toml")).unwrap().parse().unwrap();
        let parts = models(&manifest);
        let names: Vec<_> = parts.iter().map(|part| part["name"].clone()).collect();
        assert_eq!(names, ["blazeface.onnx", "face-mesh.onnx", "sface.onnx"]);
        assert!(parts.iter().all(|part| part["licenses"][0]["expression"] == "Apache-2.0"), "{parts:?}");
    }
}
