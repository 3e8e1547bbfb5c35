//! Loads the store's templates into the gallery.

use std::collections::BTreeMap;

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
    let mut load = GalleryLoad::default();
    let mut people: BTreeMap<StudentId, Vec<Embedding>> = BTreeMap::new();
    store.for_each_template(&mut |template| {
        if let Some(embedding) = load.usable(template.embedding, gallery, legacy_model)? {
            people.entry(template.student).or_default().push(embedding);
        }
        Ok(())
    })?;
    load.people = gallery.load(people)?;
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
