//! Loads the store's templates into the gallery.

use crate::embedding::Embedding;
use crate::error::Result;
use crate::gallery::Gallery;
use crate::store::{Store, StoredEmbedding};
use crate::types::{ModelId, StudentId};

/// The templates of the store that a gallery took, in numbers.
///
/// ```
/// use faceattend_core::recognition::GalleryLoad;
///
/// fn told(load: &GalleryLoad) -> String {
///     format!("{} people; {} templates of other models", load.people, load.of_other_models)
/// }
/// assert_eq!(told(&GalleryLoad::default()), "0 people; 0 templates of other models");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct GalleryLoad {
    /// Students that can be recognized.
    pub people: usize,
    /// Templates left out because another model made them: those students have to enrol again.
    pub of_other_models: usize,
    /// Templates left out because their model is not known.
    pub legacy: usize,
}

/// Puts the store's templates in place of what `gallery` holds. Those of the existing service, which do not say which
/// model made them, are taken only as `legacy_model`, the operator's word.
///
/// # Errors
/// Those of the store; the gallery is then as it was.
pub fn load_gallery(gallery: &Gallery, store: &dyn Store, legacy_model: Option<&ModelId>) -> Result<GalleryLoad> {
    load(gallery, store, legacy_model, &mut |_| Ok(()))
}

/// As [`load_gallery`], and says how far it is: `told` is called now and then with the number of templates that are
/// read and the number that there are, which counts those of other models too.
///
/// ```
/// # #[cfg(feature = "sqlite")]
/// # fn main() -> faceattend_core::Result<()> {
/// use faceattend_core::recognition::load_gallery_telling;
/// use faceattend_core::store::SqliteStore;
/// # use faceattend_core::embedding::Calibration;
/// # use faceattend_core::engine::Embedder;
/// # use faceattend_core::{Gallery, ModelId};
///
/// # let gallery = Gallery::new(Embedder::new(ModelId::new("example"), 2, Calibration::arcface()));
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("attendance.db");
/// let store = SqliteStore::open(path)?;
/// let mut last = None;
/// load_gallery_telling(&gallery, &store, None, &mut |loaded, of| {
///     last = Some((loaded, of));
///     Ok(())
/// })?;
/// assert_eq!(last, Some((0, 0)), "the last call says that all are read");
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "sqlite"))]
/// # fn main() {}
/// ```
///
/// # Errors
/// Those of the store, and the first error that `told` returns; the gallery is then as it was.
pub fn load_gallery_telling(
    gallery: &Gallery,
    store: &dyn Store,
    legacy_model: Option<&ModelId>,
    told: &mut dyn FnMut(u64, u64) -> Result<()>,
) -> Result<GalleryLoad> {
    let of = store.template_count()?;
    told(0, of)?;
    let mut read = 0;
    let load = load(gallery, store, legacy_model, &mut |count| {
        read = count;
        // Templates may have been added since they were counted.
        if count % TELL_EVERY == 0 { told(count, of.max(count)) } else { Ok(()) }
    })?;
    told(read, read)?;
    Ok(load)
}

/// Templates between two calls that say how far a gallery is loaded: some hundredths of a second.
const TELL_EVERY: u64 = 4096;

fn load(
    gallery: &Gallery,
    store: &dyn Store,
    legacy_model: Option<&ModelId>,
    told: &mut dyn FnMut(u64) -> Result<()>,
) -> Result<GalleryLoad> {
    let mut load = GalleryLoad::default();
    let mut read = 0;
    load.people = gallery.fill(|put| {
        // The store hands over the templates of one student one after the other.
        let mut waiting: Option<(StudentId, Vec<Embedding>)> = None;
        store.for_each_template(&mut |template| {
            read += 1;
            told(read)?;
            let Some(embedding) = load.usable(template.embedding, gallery, legacy_model)? else { return Ok(()) };
            match &mut waiting {
                Some((student, views)) if *student == template.student => views.push(embedding),
                _ => {
                    if let Some((student, views)) = waiting.replace((template.student, vec![embedding])) {
                        put(student, views)?;
                    }
                }
            }
            Ok(())
        })?;
        waiting.map_or(Ok(()), |(student, views)| put(student, views))
    })?;
    Ok(load)
}

/// Replaces the templates of one student in `gallery` by those of the store, or removes the student when there are
/// none. Call this after a change notice. Templates are selected as in [`load_gallery`].
///
/// # Errors
/// Those of the store; the gallery is then as it was.
pub fn refresh_gallery(
    gallery: &Gallery,
    store: &dyn Store,
    student: StudentId,
    legacy_model: Option<&ModelId>,
) -> Result<GalleryLoad> {
    let mut load = GalleryLoad::default();
    let mut templates = Vec::new();
    for template in store.templates_of(student)? {
        templates.extend(load.usable(template.embedding, gallery, legacy_model)?);
    }
    if templates.is_empty() {
        gallery.remove(student);
    } else {
        gallery.replace(student, &templates)?;
        load.people = 1;
    }
    Ok(load)
}

impl GalleryLoad {
    /// Returns the embedding if `gallery` can take it; otherwise it is counted.
    fn usable(
        &mut self,
        stored: StoredEmbedding,
        gallery: &Gallery,
        legacy_model: Option<&ModelId>,
    ) -> Result<Option<Embedding>> {
        let embedding = match (stored, legacy_model) {
            (StoredEmbedding::Tagged(embedding), _) => embedding,
            (StoredEmbedding::Legacy(vector), Some(model)) => vector.with_model(model.clone())?,
            (StoredEmbedding::Legacy(_), None) => {
                self.legacy += 1;
                return Ok(None);
            }
        };
        let embedder = gallery.embedder();
        if embedding.model() == &embedder.model && embedding.values().len() == embedder.dimension {
            return Ok(Some(embedding));
        }
        self.of_other_models += 1;
        Ok(None)
    }
}
