//! The licences of the crates and the icons that are compiled into the release: their texts go where the programs go.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::compile::Release;
use super::folders::entries;
use super::sbom::{Key, compiled};
use crate::Result;
use crate::workspace::{cargo, output, root};

/// The name of the file.
pub(crate) const NAME: &str = "THIRD-PARTY-LICENSES.txt";

/// What the pages have from others: a folder each, with the licence in it.
const VENDORED: &str = "reference-server/src/web/vendor";

/// Writes the texts into a file in `folder`, and returns where it is. Crates of one text stand together.
///
/// # Errors
/// When cargo cannot tell what is compiled, a crate names neither licence nor text, or a part of the pages has none.
pub(crate) fn write(release: &Release, folder: &Path) -> Result<PathBuf> {
    let metadata = output(&mut cargo(&["metadata", "--format-version=1", "--locked"]))?;
    let metadata: Value = serde_json::from_str(&metadata).map_err(|e| format!("cargo metadata: {e}"))?;
    let text = text(&metadata, &compiled(release)?)? + &of_pages(&root().join(VENDORED))?;
    let path = folder.join(NAME);
    fs::write(&path, text).map_err(|e| format!("cannot write {}: {e}", path.display()))?;
    Ok(path)
}

fn text(metadata: &Value, compiled: &BTreeSet<Key>) -> Result<String> {
    let mut crates_of: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut list = String::new();
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let word = |name: &str| package[name].as_str().unwrap_or_default().to_owned();
        let key = (word("name"), word("version"));
        // This workspace's own licences lie beside this file.
        if !compiled.contains(&key) || package["source"].is_null() {
            continue;
        }
        let name = format!("{} {}", key.0, key.1);
        let texts = texts(Path::new(&word("manifest_path")).parent().unwrap_or(Path::new("")))?;
        if word("license").is_empty() && texts.is_empty() {
            return Err(format!("{name} names no licence and has no text of one"));
        }
        list += &format!("{name}: {}, {}\n", word("license"), word("repository"));
        for text in texts {
            crates_of.entry(text).or_default().push(name.clone());
        }
    }
    let mut written = format!("Crates that are compiled into faceattend, and their licences.\n\n{list}");
    for (text, crates) in crates_of {
        written += &format!("\n{}\n{}\n\n{}\n", "-".repeat(80), crates.join(", "), text.trim());
    }
    Ok(written)
}

/// Returns the licences of what the pages have from others.
fn of_pages(vendored: &Path) -> Result<String> {
    let mut written = String::new();
    for folder in entries(vendored)?.into_iter().filter(|path| path.is_dir()) {
        let texts = texts(&folder)?;
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        if texts.is_empty() {
            return Err(format!("{} has no licence", folder.display()));
        }
        for text in texts {
            written += &format!("\n{}\n{name} (in the pages)\n\n{}\n", "-".repeat(80), text.trim());
        }
    }
    Ok(written)
}

/// Returns the texts of the licences and notices in the folder of a crate.
fn texts(folder: &Path) -> Result<Vec<String>> {
    let names = ["LICENSE", "LICENCE", "COPYING", "NOTICE", "COPYRIGHT", "UNLICENSE"];
    let named = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_uppercase();
        path.is_file() && names.iter().any(|begin| name.starts_with(begin))
    };
    let read = |path: PathBuf| {
        fs::read(&path)
            .map(|bytes| String::from_utf8_lossy(&bytes).replace("\r\n", "\n"))
            .map_err(|e| format!("cannot read {}: {e}", path.display()))
    };
    entries(folder)?.into_iter().filter(named).map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_pages_have_from_others_is_named_with_its_licence() {
        let written = of_pages(&root().join(VENDORED)).unwrap();
        assert!(written.contains("\nlucide (in the pages)\n\nISC License"), "{written}");
    }

    #[test]
    fn crates_of_one_text_stand_together_and_this_workspaces_own_are_left_out() {
        let folder = std::env::temp_dir().join(format!("faceattend-notices-{}", std::process::id()));
        let mut packages = Vec::new();
        for (name, license) in [("a", "One"), ("b", "One"), ("c", "Two")] {
            fs::create_dir_all(folder.join(name)).unwrap();
            fs::write(folder.join(name).join("LICENSE-MIT"), license).unwrap();
            packages.push(serde_json::json!({
                "name": name, "version": "1.0.0", "license": "MIT", "repository": "", "source": "registry",
                "manifest_path": folder.join(name).join("Cargo.toml"),
            }));
        }
        packages.push(serde_json::json!({ "name": "own", "version": "1.0.0", "source": null }));
        let all = ["a", "b", "c", "own"].map(|name| (name.to_owned(), "1.0.0".to_owned()));
        let written = text(&serde_json::json!({ "packages": packages }), &all.into());
        fs::remove_dir_all(&folder).unwrap();
        let written = written.unwrap();
        assert!(written.contains("\na 1.0.0, b 1.0.0\n\nOne\n"), "{written}");
        assert!(written.contains("\nc 1.0.0\n\nTwo\n"), "{written}");
        assert!(!written.contains("own"), "{written}");
    }
}
