//! The packs that this project knows.
//!
//! The text is `models/manifest.toml`, part of the crate `faceattend-models`, so that no file has to be found to know
//! a model.

use std::sync::OnceLock;

use serde::Deserialize;

use crate::error::{Error, Result};

pub use super::hash::Sha256Hex;
pub use super::pack::{
    Channels, Dimension, Figure, Kind, Letterbox, LicenseConsent, ModelFile, Pack, Preprocessing, Role, Template,
    Tensor,
};

/// The only layout of `manifest.toml` that this version reads.
const SCHEMA: u32 = 1;

/// Every pack, in the order of the file: the built-in one first.
///
/// ```
/// use faceattend_core::models::manifest::{Manifest, Role};
///
/// let manifest = Manifest::embedded()?;
/// let embedder = manifest.pack("default")?.file(Role::Embedder).expect("a pack with an embedder");
/// println!("{}: {} bytes", embedder.name, embedder.size.unwrap_or(0));
/// # Ok::<(), faceattend_core::Error>(())
/// ```
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    schema: u32,
    #[serde(rename = "pack")]
    packs: Vec<Pack>,
}

impl Manifest {
    /// Returns the manifest of this version of the library.
    ///
    /// # Errors
    /// [`Error::Internal`] when the built-in text is not valid, which a test of this module rules out.
    pub fn embedded() -> Result<&'static Self> {
        static PARSED: OnceLock<std::result::Result<Manifest, String>> = OnceLock::new();
        PARSED
            .get_or_init(|| Self::parse(faceattend_models::MANIFEST).map_err(|e| e.to_string()))
            .as_ref()
            .map_err(|reason| Error::Internal { reason: reason.clone() })
    }

    /// Reads the manifest in `text`: TOML in the layout of `models/manifest.toml`.
    ///
    /// # Errors
    /// [`Error::Model`] naming the place and what is wrong there.
    pub fn parse(text: &str) -> Result<Self> {
        let invalid = |reason: String| Error::model("manifest", reason);
        let manifest: Self = toml::from_str(text).map_err(|e| invalid(e.to_string()))?;
        if manifest.schema != SCHEMA {
            return Err(invalid(format!("schema {} is not the one this version reads, {SCHEMA}", manifest.schema)));
        }
        for (index, pack) in manifest.packs.iter().enumerate() {
            if manifest.packs[..index].iter().any(|other| other.name == pack.name) {
                return Err(invalid(format!("there are two packs named {}", pack.name)));
            }
            pack.check().map_err(|reason| invalid(format!("pack {}: {reason}", pack.name)))?;
        }
        Ok(manifest)
    }

    /// Returns every pack.
    #[must_use]
    pub fn packs(&self) -> &[Pack] {
        &self.packs
    }

    /// Returns the pack of that name.
    ///
    /// ```
    /// use faceattend_core::models::manifest::Manifest;
    ///
    /// let manifest = Manifest::embedded()?;
    /// assert!(manifest.pack("default")?.built_in);
    /// assert!(manifest.pack("nonsense").unwrap_err().to_string().contains("no such pack"));
    /// # Ok::<(), faceattend_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Model`] listing the names there are.
    pub fn pack(&self, name: &str) -> Result<&Pack> {
        self.packs.iter().find(|pack| pack.name == name).ok_or_else(|| {
            let names: Vec<_> = self.packs.iter().map(|pack| pack.name.as_str()).collect();
            Error::model(name, format!("no such pack; there are {}", names.join(", ")))
        })
    }

    /// Returns the file with those contents, and its pack: how a model given by path is recognized.
    ///
    /// ```
    /// use faceattend_core::models::manifest::Manifest;
    /// use faceattend_core::models::store::hash_of_file;
    ///
    /// let hash = hash_of_file("../models/default/blazeface.onnx".as_ref())?;
    /// let (pack, file) = Manifest::embedded()?.file_with_hash(&hash).expect("a known file");
    /// assert_eq!((pack.name.as_str(), file.name.as_str()), ("default", "blazeface.onnx"));
    /// # Ok::<(), faceattend_core::Error>(())
    /// ```
    #[must_use]
    pub fn file_with_hash(&self, sha256: &Sha256Hex) -> Option<(&Pack, &ModelFile)> {
        self.files().find(|(_, file)| file.sha256.as_ref() == Some(sha256))
    }

    /// Returns every file, with its pack.
    pub fn files(&self) -> impl Iterator<Item = (&Pack, &ModelFile)> {
        self.packs.iter().flat_map(|pack| pack.files.iter().map(move |file| (pack, file)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_manifest_is_valid_and_names_every_pack() {
        let names: Vec<_> = Manifest::embedded().unwrap().packs().iter().map(|pack| pack.name.as_str()).collect();
        assert_eq!(names, ["default", "opencv-zoo", "minifasnet", "buffalo_l", "buffalo_s", "antelopev2", "yolo-face"]);
    }

    #[test]
    fn every_url_is_encrypted_and_pinned() {
        for file in Manifest::embedded().unwrap().packs().iter().flat_map(|pack| &pack.files) {
            for url in &file.urls {
                assert!(url.starts_with("https://"), "{url}");
                let commit = |part: &str| part.len() == 40 && part.bytes().all(|b| b.is_ascii_hexdigit());
                assert!(url.split('/').any(commit) || url.contains("/releases/download/v"), "{url} can change");
            }
        }
    }

    #[test]
    fn a_model_id_ends_in_the_hash_of_its_file() {
        for file in Manifest::embedded().unwrap().packs().iter().flat_map(|pack| &pack.files) {
            if let (Some(id), Some(sha256)) = (&file.model_id, &file.sha256) {
                assert!(id.as_str().ends_with(&format!("@{}", &sha256.as_str()[..8])), "{id}");
            }
        }
    }

    #[test]
    fn packs_that_forbid_commercial_use_need_acceptance() {
        for pack in Manifest::embedded().unwrap().packs() {
            assert!(pack.commercial_use || pack.requires_acceptance, "{}", pack.name);
        }
    }

    #[test]
    fn sfaces_working_points_are_the_documented_ones_in_both_packs_that_have_it() {
        let manifest = Manifest::embedded().unwrap();
        for pack in ["default", "opencv-zoo"] {
            let embedder = manifest.pack(pack).unwrap().file(Role::Embedder).unwrap();
            let calibration = embedder.calibration.as_ref().unwrap();
            for (cosine, similarity) in [(0.10, 0.50), (0.50, 0.70)] {
                let found = calibration.similarity(crate::types::Cosine(cosine)).value();
                assert!((found - similarity).abs() < 1e-6, "{pack}, {cosine}: {found}");
            }
        }
    }

    #[test]
    fn an_unknown_pack_is_answered_with_the_known_ones() {
        let error = Manifest::embedded().unwrap().pack("buffalo").unwrap_err().to_string();
        assert!(error.contains("buffalo_l, buffalo_s"), "{error}");
    }

    fn broken(replace: &str, with: &str) -> String {
        let text = r#"
            schema = 1
            [[pack]]
            name = "p"
            title = "t"
            license = "MIT"
            commercial_use = true
            requires_acceptance = false
            attribution = "a"
            [[pack.file]]
            name = "m.onnx"
            role = "detector"
            kind = "scrfd"
            sha256 = "0000000000000000000000000000000000000000000000000000000000000000"
            size = 3
            urls = ["https://example.org/m"]
            input = { name = "x", shape = [1, 3, "h", "w"] }
            outputs = []
            preprocessing = { channels = "rgb", mean = [0, 0, 0], std = [1, 1, 1] }
        "#;
        assert!(Manifest::parse(text).is_ok());
        assert!(text.contains(replace), "{replace}");
        Manifest::parse(&text.replace(replace, with)).unwrap_err().to_string()
    }

    #[test]
    fn sizes_beyond_a_number_add_up_to_the_largest() {
        let mut pack = Manifest::embedded().unwrap().pack("default").unwrap().clone();
        pack.files.iter_mut().for_each(|file| file.size = Some(u64::MAX));
        assert!(pack.files.len() > 1);
        assert_eq!(pack.size(), u64::MAX);
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (replace, with, says) in [
            ("schema = 1", "schema = 2", "schema 2"),
            ("size = 3", "", "needs a hash, a size and a URL"),
            ("\"0000", "\"000G", "hexadecimal"),
            ("name = \"m.onnx\"", "name = \"../m.onnx\"", "no plain file name"),
            ("name = \"p\"", "name = \"..\"", "no plain file name"),
            ("kind = \"scrfd\"", "kind = \"guess\"", "unknown variant"),
            ("role = \"detector\"", "role = \"embedder\"", "model id"),
            ("std = [1, 1, 1]", "std = [1, 0, 1]", "std"),
            ("title = \"t\"", "titel = \"t\"", "titel"),
        ] {
            let error = broken(replace, with);
            assert!(error.contains(says), "{replace} -> {with}: {error}");
        }
    }
}
