//! The default model pack, which is part of the repository: is it what the manifest says?

use std::fs;

use faceattend_runtime::sha256;

use crate::Result;
use crate::workspace::root;

/// Compares every file of the built-in packs with the manifest, and says how many there are.
///
/// # Errors
/// Naming the file, what was expected and what to do, when one is missing or differs.
pub(super) fn verify() -> Result<String> {
    let path = root().join("models/manifest.toml");
    let text = fs::read_to_string(&path).map_err(|e| format!("cannot read {}: {e}", path.display()))?;
    let manifest: toml::Table = text.parse().map_err(|e| format!("{}: {e}", path.display()))?;
    let array = |table: &toml::Table, key: &str| table.get(key).and_then(|v| v.as_array()).cloned().unwrap_or_default();
    let mut verified = 0;
    for pack in array(&manifest, "pack").iter().filter_map(toml::Value::as_table) {
        if !pack.get("built_in").and_then(toml::Value::as_bool).unwrap_or(false) {
            continue;
        }
        let text = |table: &toml::Table, key: &str| {
            let found = table.get(key).and_then(toml::Value::as_str).map(str::to_owned);
            found.ok_or_else(|| format!("{}: a built-in pack or file has no `{key}`", path.display()))
        };
        let folder = root().join("models").join(text(pack, "name")?);
        for file in array(pack, "file").iter().filter_map(toml::Value::as_table) {
            let (model, expected) = (folder.join(text(file, "name")?), text(file, "sha256")?);
            let found = sha256(&model)?;
            if found != expected {
                return Err(format!(
                    "{}: not the model that models/manifest.toml names.\n  expected sha256 {expected}\n  found    \
                     sha256 {found}\nGet it back with `git checkout -- models`, or make it again with `cargo xtask \
                     models`",
                    model.display()
                ));
            }
            verified += 1;
        }
    }
    if verified == 0 {
        Err(format!("{}: names no built-in model", path.display()))
    } else {
        Ok(format!("{verified} models verified"))
    }
}
