//! Adds a model file that was fetched elsewhere to its pack, for machines without internet.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::manifest::{LicenseConsent, Manifest, ModelFile, Pack, Sha256Hex};
use super::part_file::PartFile;
use super::store::{FileState, ModelStore, hash_of_file};
use crate::error::{Error, Result};

/// A file that is in its place now.
///
/// ```
/// use std::path::Path;
///
/// use faceattend_core::models::manifest::{LicenseConsent, Manifest};
/// use faceattend_core::models::store::ModelStore;
///
/// # let folder = tempfile::tempdir().expect("a folder");
/// # let folder = folder.path();
/// // A file that somebody brought is told by its hash.
/// let store = ModelStore::at(folder);
/// let file = Path::new("../models/default/blazeface.onnx");
/// let added = store.add(Manifest::embedded()?, file, None, LicenseConsent::NotGiven)?;
/// assert_eq!((added[0].pack.as_str(), added[0].missing.len()), ("default", 2));
/// # Ok::<(), faceattend_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Added {
    /// The pack that it belongs to.
    pub pack: String,
    /// Its name in that pack.
    pub file: String,
    /// Where it lies.
    pub path: PathBuf,
    /// The files of the pack that can be had and are not here, or not as they should be.
    pub missing: Vec<String>,
}

impl ModelStore {
    /// Copies the file at `source` to its place in every pack that it belongs to, or in `only` that one. Its contents
    /// say which file it is, whatever its name. It appears under its name in one step, once its hash is right.
    ///
    /// # Errors
    /// [`Error::Model`] for a file that no pack knows, with its hash and those that are expected; [`Error::State`]
    /// when the licence has to be accepted and is not; [`Error::Io`] when it cannot be read or written;
    /// [`Error::Download`] while a pull is fetching the same file.
    pub fn add(
        &self,
        manifest: &Manifest,
        source: &Path,
        only: Option<&str>,
        consent: LicenseConsent,
    ) -> Result<Vec<Added>> {
        let only = only.map(|name| manifest.pack(name)).transpose()?;
        let sha256 = hash_of_file(source)?;
        let wanted = |pack: &Pack| only.is_none_or(|only| only.name == pack.name);
        let known: Vec<_> =
            manifest.files().filter(|(pack, file)| wanted(pack) && file.sha256.as_ref() == Some(&sha256)).collect();
        if known.is_empty() {
            return Err(unknown(manifest, source, &sha256, only));
        }
        for (pack, _) in &known {
            let command = format!("run `faceattend models add {} --accept-license`", source.display());
            pack.check_consent(consent, &command)?;
        }
        let mut added = Vec::new();
        for (pack, file) in known {
            let path = self.put(pack, file, source, &sha256)?;
            let mut missing = Vec::new();
            for other in pack.files.iter().filter(|other| other.unavailable.is_none()) {
                if self.state(pack, other)? != FileState::Sound {
                    missing.push(other.name.clone());
                }
            }
            added.push(Added { pack: pack.name.clone(), file: file.name.clone(), path, missing });
        }
        Ok(added)
    }

    fn put(&self, pack: &Pack, file: &ModelFile, source: &Path, sha256: &Sha256Hex) -> Result<PathBuf> {
        let path = self.path(pack, file);
        if self.state(pack, file)? == FileState::Sound {
            return Ok(path);
        }
        let reading = |cause| Error::Io { action: "read", path: source.to_path_buf(), source: cause };
        let size = file.size.unwrap_or_default();
        let mut part = PartFile::open(&path, size, sha256)?;
        // What a pull has left may be all of it; it may even be `source` itself.
        if part.check()?.is_some() {
            let mut from = File::open(source).map_err(reading)?;
            let mut buffer = vec![0; 1 << 16];
            loop {
                match from.read(&mut buffer) {
                    Ok(0) => break,
                    Ok(count) => part.append(&buffer[..count])?,
                    Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                    Err(error) => return Err(reading(error)),
                }
            }
            if let Some(reason) = part.check()? {
                part.discard_if_empty();
                return Err(Error::model(
                    source.display().to_string(),
                    format!("it changed while it was read: {reason}"),
                ));
            }
        }
        part.into_place(&path)
    }
}

/// Returns what was found, and what would be taken: the file of that name, or every file there is.
fn unknown(manifest: &Manifest, source: &Path, sha256: &Sha256Hex, only: Option<&Pack>) -> Error {
    let size = std::fs::metadata(source).map_or(0, |metadata| metadata.len());
    let name = source.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let mut reason = format!("its {size} bytes with sha256 {sha256} are no file");
    reason += &only.map_or_else(|| " that this version knows".into(), |pack| format!(" of the pack {}", pack.name));
    if let Some((pack, _)) = manifest.file_with_hash(sha256) {
        reason += &format!("; they are one of the pack {}", pack.name);
        return Error::model(name, reason);
    }
    let of = |(pack, file): &(&Pack, &ModelFile)| match (&file.sha256, file.size, &file.unavailable) {
        (Some(sha256), Some(size), _) => format!("{}/{}: sha256 {sha256}, {size} bytes", pack.name, file.name),
        (_, _, why) => format!("{}/{}: {}", pack.name, file.name, why.as_deref().unwrap_or("no published checksum")),
    };
    let within: Vec<_> = manifest.files().filter(|(pack, _)| only.is_none_or(|only| only.name == pack.name)).collect();
    let of_that_name: Vec<_> = within.iter().filter(|(_, file)| file.name == name).map(of).collect();
    let expected = if of_that_name.is_empty() { within.iter().map(of).collect() } else { of_that_name };
    reason += &format!(
        "; nothing was changed. Expected:\n  {}\nA model of your own needs no pack: name it with \
         --detector or --embedder",
        expected.join("\n  ")
    );
    Error::model(name, reason)
}

#[cfg(test)]
mod tests {
    use super::super::store::hash_of;
    use super::*;
    use crate::error::ErrorKind;

    const FIRST: &[u8] = b"the first model";
    const SECOND: &[u8] = b"another model";

    /// Two files in one pack, the first of them in a second pack too, whose licence has to be accepted.
    fn manifest() -> Manifest {
        let file = |name: &str, contents: &[u8]| {
            format!(
                r#"
                [[pack.file]]
                name = "{name}"
                role = "antispoof"
                kind = "minifasnet"
                sha256 = "{}"
                size = {}
                urls = ["https://host/{name}"]
                input = {{ name = "x", shape = [1] }}
                outputs = []
                preprocessing = {{ channels = "rgb", mean = [0, 0, 0], std = [1, 1, 1] }}
                "#,
                hash_of(contents),
                contents.len()
            )
        };
        let pack = |name: &str, asks: bool| {
            format!(
                "[[pack]]\nname = \"{name}\"\ntitle = \"t\"\nlicense = \"a licence\"\ncommercial_use = true\n\
                 requires_acceptance = {asks}\nattribution = \"a\"\n"
            )
        };
        let text = [
            "schema = 1\n".to_owned(),
            pack("p", false),
            file("a.onnx", FIRST),
            file("b.onnx", SECOND),
            pack("q", true),
            file("a2.onnx", FIRST),
        ];
        Manifest::parse(&text.concat()).unwrap()
    }

    struct Place {
        folder: tempfile::TempDir,
        store: ModelStore,
    }

    impl Place {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let store = ModelStore::at(folder.path().join("models"));
            Self { folder, store }
        }

        /// Returns a file that somebody has brought.
        fn brought(&self, name: &str, contents: &[u8]) -> PathBuf {
            let path = self.folder.path().join(name);
            std::fs::write(&path, contents).unwrap();
            path
        }

        fn names(&self) -> Vec<String> {
            let mut names = Vec::new();
            for pack in ["p", "q"] {
                let Ok(entries) = std::fs::read_dir(self.store.folder().join(pack)) else { continue };
                names.extend(entries.map(|entry| format!("{pack}/{}", entry.unwrap().file_name().display())));
            }
            names.sort();
            names
        }
    }

    #[test]
    fn a_file_is_known_by_its_contents_and_put_under_its_name() {
        let place = Place::new();
        let brought = place.brought("download (1).bin", SECOND);
        let added = place.store.add(&manifest(), &brought, None, LicenseConsent::NotGiven).unwrap();
        assert_eq!(added.len(), 1);
        assert_eq!((added[0].pack.as_str(), added[0].file.as_str()), ("p", "b.onnx"));
        assert_eq!(std::fs::read(&added[0].path).unwrap(), SECOND);
        assert_eq!(added[0].missing, ["a.onnx"]);
        assert_eq!(place.names(), ["p/b.onnx"]);
        assert!(brought.exists(), "what was brought stays where it is");
    }

    #[test]
    fn a_file_of_two_packs_goes_into_both_or_into_the_one_that_is_named() {
        let place = Place::new();
        let brought = place.brought("a.onnx", FIRST);
        let error = place.store.add(&manifest(), &brought, None, LicenseConsent::NotGiven).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::State);
        assert!(error.to_string().contains("a licence") && error.to_string().contains("--accept-license"), "{error}");
        assert_eq!(place.names(), [""; 0], "nothing is put anywhere before every licence is accepted");
        place.store.add(&manifest(), &brought, Some("p"), LicenseConsent::NotGiven).unwrap();
        assert_eq!(place.names(), ["p/a.onnx"]);
        place.store.add(&manifest(), &brought, None, LicenseConsent::Accepted).unwrap();
        assert_eq!(place.names(), ["p/a.onnx", "q/a2.onnx"]);
    }

    #[test]
    fn an_unknown_file_is_refused_with_its_hash_and_what_is_expected() {
        let place = Place::new();
        let manifest = manifest();
        let other = place.brought("other.onnx", b"nobody knows it");
        let error = place.store.add(&manifest, &other, None, LicenseConsent::Accepted).unwrap_err().to_string();
        for part in [hash_of(b"nobody knows it"), hash_of(FIRST), hash_of(SECOND)] {
            assert!(error.contains(part.as_str()), "{part}: {error}");
        }
        let damaged = place.brought("a.onnx", b"half of the fir");
        let error = place.store.add(&manifest, &damaged, None, LicenseConsent::Accepted).unwrap_err().to_string();
        assert!(error.contains(hash_of(FIRST).as_str()) && !error.contains(hash_of(SECOND).as_str()), "{error}");
        let elsewhere = place.brought("b.onnx", SECOND);
        let error =
            place.store.add(&manifest, &elsewhere, Some("q"), LicenseConsent::Accepted).unwrap_err().to_string();
        assert!(error.contains("the pack p"), "{error}");
        assert_eq!(place.names(), [""; 0]);
        let absent = place.folder.path().join("absent");
        let error = place.store.add(&manifest, &absent, None, LicenseConsent::Accepted).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Io);
    }

    #[test]
    fn a_damaged_file_is_replaced_and_a_half_fetched_one_completed() {
        let place = Place::new();
        let brought = place.brought("b", SECOND);
        let target = place.store.folder().join("p/b.onnx");
        std::fs::create_dir_all(target.parent().unwrap()).unwrap();
        std::fs::write(&target, b"damaged").unwrap();
        std::fs::write(target.with_file_name("b.onnx.part"), b"anoth").unwrap();
        place.store.add(&manifest(), &brought, None, LicenseConsent::NotGiven).unwrap();
        assert_eq!(std::fs::read(&target).unwrap(), SECOND);
        assert_eq!(place.names(), ["p/b.onnx"]);
    }

    #[test]
    fn a_whole_part_of_a_pull_can_be_added_itself() {
        let place = Place::new();
        let part = place.store.folder().join("p/b.onnx.part");
        std::fs::create_dir_all(part.parent().unwrap()).unwrap();
        std::fs::write(&part, SECOND).unwrap();
        place.store.add(&manifest(), &part, None, LicenseConsent::NotGiven).unwrap();
        assert_eq!(place.names(), ["p/b.onnx"]);
    }
}
