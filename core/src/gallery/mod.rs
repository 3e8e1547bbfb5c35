//! The people who are known, and who of them a face resembles (1:N identification).
//!
//! # One template a person
//!
//! A person is matched by one template: the mean of all views that are known of them (the positions of a registration,
//! the photographs of an import). This is the one home of that rule. Of 80 people with three views each, searched for
//! among 1,000 strangers, the mean finds 0.9975 at FPIR 0.3%, the most similar view 0.9950 and the first view alone
//! 0.9812; at one and the same threshold the most similar view names 72 of 4,995 strangers and the mean 50, since
//! every template more is a chance more to resemble a stranger. Weighting views by their quality changes nothing.
//! `docs/src/evaluation.md` has the figures and the commands.
//!
//! # Snapshots
//!
//! A [`Gallery`] is searched in an immutable snapshot: searches never wait for writers, and writers swap in the next
//! snapshot at once. The rows lie in segments of `SEGMENT_ROWS`, shared between snapshots; an insert copies the
//! last segment only (1.5 MiB at 512 values a row) or that of a person who is there already, a removal the two that it
//! touches, however many people there are.
//!
//! # Search
//!
//! Every search looks at every row, and its answer is that of comparing them one by one. A value is kept in three
//! bytes, to within the rounding of an `f32`. The scan reads the upper one alone, which says a product to within 0.01,
//! with a bound that is proven for each row (`codes`); only rows that may belong to the answer by that bound are
//! multiplied in `f32`.

mod codes;
mod filling;
mod search;
mod segments;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;

use crate::embedding::Embedding;
use crate::engine::Embedder;
use crate::error::{Error, Result};
use crate::types::{Cosine, Similarity, StudentId, Threshold};
use filling::filled;
use segments::{Segments, Writer};

/// A person that a face resembles.
///
/// ```
/// use faceattend_core::embedding::Calibration;
/// use faceattend_core::engine::Embedder;
/// use faceattend_core::{Embedding, Gallery, ModelId, StudentId};
///
/// let model = ModelId::new("example");
/// let gallery = Gallery::new(Embedder::new(model.clone(), 2, Calibration::arcface()));
/// gallery.insert(StudentId(1), &[Embedding::from_raw(model.clone(), &[1.0, 0.0])?])?;
/// gallery.insert(StudentId(2), &[Embedding::from_raw(model.clone(), &[0.0, 1.0])?])?;
/// let matches = gallery.search(&Embedding::from_raw(model, &[0.9, 0.1])?, 2)?;
/// assert_eq!(matches[0].student, StudentId(1));
/// assert!(matches[0].similarity > matches[1].similarity);
/// # Ok::<(), faceattend_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Match {
    /// The person.
    pub student: StudentId,
    /// The similarity of the face and the mean of the person's views, on the scale of every threshold.
    pub similarity: Similarity,
    /// The raw cosine behind it.
    pub cosine: Cosine,
}

/// Two people whose faces are so alike that they may be one person who is enrolled twice.
///
/// ```
/// use faceattend_core::gallery::LookAlike;
///
/// fn told(pair: &LookAlike) -> String {
///     format!("students {} and {}: {:.2}", pair.earlier, pair.later, pair.similarity.value())
/// }
/// # let _ = told;
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct LookAlike {
    /// The one who was created first.
    pub earlier: StudentId,
    /// The other.
    pub later: StudentId,
    /// The similarity of the means of their views.
    pub similarity: Similarity,
}

/// The identity of a face by one view.
///
/// ```
/// use faceattend_core::Identification;
///
/// fn greeting(found: &Identification) -> String {
///     match found {
///         Identification::Known { best, .. } => format!("student {}", best.student),
///         Identification::Unknown { .. } => "nobody who is known".to_owned(),
///     }
/// }
/// assert_eq!(greeting(&Identification::Unknown { best: None }), "nobody who is known");
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Identification {
    /// The most similar person reaches the threshold.
    Known {
        /// The person.
        best: Match,
        /// The lead over the next person, on the similarity scale; over 0 when there is no other person.
        margin: f32,
    },
    /// Nobody reaches the threshold.
    Unknown {
        /// The most similar person, unless the gallery is empty.
        best: Option<Match>,
    },
}

impl Identification {
    /// Returns the most similar person, known or not.
    #[must_use]
    pub fn best(&self) -> Option<Match> {
        match self {
            Self::Known { best, .. } => Some(*best),
            Self::Unknown { best } => *best,
        }
    }

    /// Returns what `matches`, the two best, most similar first, say at `threshold`.
    #[must_use]
    fn of(matches: &[Match], threshold: Threshold) -> Self {
        match matches {
            [best, rest @ ..] if threshold.admits(best.similarity) => {
                let next = rest.first().map_or(0.0, |next| next.similarity.value());
                Self::Known { best: *best, margin: best.similarity.value() - next }
            }
            _ => Self::Unknown { best: matches.first().copied() },
        }
    }
}

/// The people who are known, each by the mean of their views. `Send + Sync`; share one between all threads.
///
/// ```
/// use faceattend_core::embedding::Calibration;
/// use faceattend_core::engine::Embedder;
/// use faceattend_core::{Embedding, Gallery, ModelId, StudentId, Threshold};
///
/// let model = ModelId::new("example");
/// let gallery = Gallery::new(Embedder::new(model.clone(), 2, Calibration::arcface()));
/// gallery.insert(StudentId(1), &[Embedding::from_raw(model.clone(), &[1.0, 0.0])?])?;
/// let found = gallery.identify(&Embedding::from_raw(model, &[0.9, 0.1])?, Threshold::DOCUMENTED)?;
/// assert_eq!(found.best().map(|best| best.student), Some(StudentId(1)));
/// # Ok::<(), faceattend_core::Error>(())
/// ```
pub struct Gallery {
    embedder: Embedder,
    snapshot: ArcSwap<Segments>,
    writer: Mutex<Writer>,
    revision: AtomicU64,
}

impl Gallery {
    /// Creates an empty gallery for the embeddings of `embedder`.
    #[must_use]
    pub fn new(embedder: Embedder) -> Self {
        Self { embedder, snapshot: ArcSwap::default(), writer: Mutex::default(), revision: AtomicU64::new(0) }
    }

    /// Returns what makes the embeddings that it takes.
    #[must_use]
    pub fn embedder(&self) -> &Embedder {
        &self.embedder
    }

    /// Adds `views` to those of `student`, who is matched by the mean of all of them from then on.
    ///
    /// ```
    /// use faceattend_core::embedding::Calibration;
    /// use faceattend_core::engine::Embedder;
    /// use faceattend_core::{Embedding, Gallery, ModelId, StudentId};
    ///
    /// let model = ModelId::new("example");
    /// let gallery = Gallery::new(Embedder::new(model.clone(), 2, Calibration::arcface()));
    /// gallery.insert(StudentId(1), &[Embedding::from_raw(model, &[1.0, 0.0])?])?;
    /// assert!(gallery.contains(StudentId(1)));
    /// // Embeddings of another model are refused.
    /// assert!(gallery.insert(StudentId(2), &[Embedding::from_raw(ModelId::new("other"), &[1.0, 0.0])?]).is_err());
    /// # Ok::<(), faceattend_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::ModelMismatch`] for an embedding of another model; nothing is added then.
    pub fn insert(&self, student: StudentId, views: &[Embedding]) -> Result<()> {
        self.check(views)?;
        let mut writer = self.lock();
        writer.insert(student, views);
        self.publish(&writer);
        Ok(())
    }

    /// Puts `views` in the place of those of `student`; no search sees the person missing in between.
    ///
    /// ```
    /// use faceattend_core::embedding::Calibration;
    /// use faceattend_core::engine::Embedder;
    /// use faceattend_core::{Embedding, Gallery, ModelId, StudentId};
    ///
    /// let model = ModelId::new("example");
    /// let gallery = Gallery::new(Embedder::new(model.clone(), 2, Calibration::arcface()));
    /// let view = Embedding::from_raw(model, &[1.0, 0.0])?;
    /// gallery.insert(StudentId(1), &[view.clone(), view.clone()])?;
    /// gallery.replace(StudentId(1), &[view])?;
    /// assert_eq!((gallery.people(), gallery.templates()), (1, 1));
    /// # Ok::<(), faceattend_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::ModelMismatch`] for an embedding of another model; nothing is changed then.
    pub fn replace(&self, student: StudentId, views: &[Embedding]) -> Result<()> {
        self.check(views)?;
        let mut writer = self.lock();
        writer.remove(student, self.embedder.dimension);
        writer.insert(student, views);
        self.publish(&writer);
        Ok(())
    }

    /// Takes `student` out. Says whether the person was there.
    ///
    /// ```
    /// use faceattend_core::embedding::Calibration;
    /// use faceattend_core::engine::Embedder;
    /// use faceattend_core::{Gallery, ModelId, StudentId};
    ///
    /// let gallery = Gallery::new(Embedder::new(ModelId::new("example"), 2, Calibration::arcface()));
    /// assert!(!gallery.remove(StudentId(1)), "there was nobody to remove");
    /// ```
    pub fn remove(&self, student: StudentId) -> bool {
        let mut writer = self.lock();
        let was_there = writer.remove(student, self.embedder.dimension);
        if was_there {
            self.publish(&writer);
        }
        was_there
    }

    /// Puts `people` in the place of everybody, at once: for loading all of a store. Returns how many people there
    /// are.
    ///
    /// # Errors
    /// [`Error::ModelMismatch`] for an embedding of another model; nothing is changed then.
    pub fn load(&self, people: impl IntoIterator<Item = (StudentId, Vec<Embedding>)>) -> Result<usize> {
        self.fill(|put| people.into_iter().try_for_each(|(student, views)| put(student, views)))
    }

    /// The same for people who come one after the other: `feed` hands each to the function that it is given.
    pub(crate) fn fill(
        &self,
        feed: impl FnOnce(&mut dyn FnMut(StudentId, Vec<Embedding>) -> Result<()>) -> Result<()>,
    ) -> Result<usize> {
        let fresh = filled(|filling| {
            feed(&mut |student, views| {
                self.check(&views)?;
                filling.add(student, views);
                Ok(())
            })
        })?;
        let mut writer = self.lock();
        *writer = fresh;
        self.publish(&writer);
        Ok(writer.known.len())
    }

    /// Returns the number of people.
    #[must_use]
    pub fn people(&self) -> usize {
        self.snapshot.load().iter().map(|segment| segment.owners.len()).sum()
    }

    /// Returns whether `student` is known here.
    #[must_use]
    pub fn contains(&self, student: StudentId) -> bool {
        self.lock().known.contains_key(&student)
    }

    /// Returns the number of views that the people's templates are the means of.
    #[must_use]
    pub fn templates(&self) -> usize {
        self.lock().known.values().map(|known| known.views).sum()
    }

    /// Returns the `k` people most similar to `probe`, most similar first; fewer when there are fewer. Exact.
    ///
    /// ```
    /// use faceattend_core::embedding::Calibration;
    /// use faceattend_core::engine::Embedder;
    /// use faceattend_core::{Embedding, Gallery, ModelId};
    ///
    /// let model = ModelId::new("example");
    /// let gallery = Gallery::new(Embedder::new(model.clone(), 2, Calibration::arcface()));
    /// assert!(gallery.search(&Embedding::from_raw(model, &[1.0, 0.0])?, 5)?.is_empty());
    /// # Ok::<(), faceattend_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::ModelMismatch`] when `probe` is of another model.
    pub fn search(&self, probe: &Embedding, k: usize) -> Result<Vec<Match>> {
        self.search_on(probe, k, search::cores())
    }

    /// The same on so many threads at most.
    pub(crate) fn search_on(&self, probe: &Embedding, k: usize, threads: usize) -> Result<Vec<Match>> {
        self.check(std::slice::from_ref(probe))?;
        let found = search::scan(&self.snapshot.load(), probe.values(), k, threads);
        Ok(found.into_iter().map(|(student, cosine)| self.matched(student, cosine)).collect())
    }

    /// Returns whose face `probe` is.
    ///
    /// ```
    /// use faceattend_core::embedding::Calibration;
    /// use faceattend_core::engine::Embedder;
    /// use faceattend_core::{Embedding, Gallery, Identification, ModelId, Threshold};
    ///
    /// let model = ModelId::new("example");
    /// let gallery = Gallery::new(Embedder::new(model.clone(), 2, Calibration::arcface()));
    /// let found = gallery.identify(&Embedding::from_raw(model, &[1.0, 0.0])?, Threshold::DOCUMENTED)?;
    /// assert_eq!(found, Identification::Unknown { best: None });
    /// # Ok::<(), faceattend_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::ModelMismatch`] when `probe` is of another model.
    pub fn identify(&self, probe: &Embedding, threshold: Threshold) -> Result<Identification> {
        Ok(Identification::of(&self.search(probe, 2)?, threshold))
    }

    /// Returns how alike the faces of two people are, each by the mean of their views; `None` where one of the two is
    /// not here.
    pub(crate) fn alike(&self, one: StudentId, two: StudentId) -> Option<(Similarity, Cosine)> {
        let Match { similarity, cosine, .. } =
            self.matched(one, self.lock().cosine(one, two, self.embedder.dimension)?);
        Some((similarity, cosine))
    }

    /// Returns the pairs of people whose faces reach `threshold`, the most alike first and at most `most` of them.
    /// Everybody is compared with everybody.
    pub(crate) fn look_alikes(&self, threshold: Threshold, most: usize) -> Vec<LookAlike> {
        let least = self.embedder.calibration.cosine(Similarity::new(threshold.value()));
        let pairs = search::pairs(&self.snapshot.load(), self.embedder.dimension, least.0, most);
        let told = |(a, b, cosine): (StudentId, StudentId, f32)| {
            let Match { similarity, .. } = self.matched(a, cosine);
            let [earlier, later] = if a < b { [a, b] } else { [b, a] };
            LookAlike { earlier, later, similarity }
        };
        pairs.into_iter().map(told).collect()
    }

    /// Returns a number that is another one after every change.
    pub(crate) fn revision(&self) -> u64 {
        self.revision.load(Ordering::Acquire)
    }

    fn matched(&self, student: StudentId, cosine: f32) -> Match {
        let cosine = Cosine(cosine.clamp(-1.0, 1.0));
        Match { student, similarity: self.embedder.calibration.similarity(cosine), cosine }
    }

    fn check(&self, embeddings: &[Embedding]) -> Result<()> {
        let Embedder { model, dimension, .. } = &self.embedder;
        let foreign = embeddings.iter().find(|e| e.model() != model || e.values().len() != *dimension);
        match foreign {
            None => Ok(()),
            Some(e) => Err(Error::ModelMismatch {
                expected: format!("{model} ({dimension}-d)"),
                got: format!("{} ({}-d)", e.model(), e.values().len()),
            }),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Writer> {
        // A writer that panicked has published nothing, and each step below leaves the matrix whole.
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn publish(&self, writer: &Writer) {
        self.snapshot.store(Arc::new(writer.segments.clone()));
        self.revision.fetch_add(1, Ordering::Release);
    }
}

/// Says how many, never who or what.
impl std::fmt::Debug for Gallery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Gallery({}, {} people)", self.embedder.model, self.people())
    }
}

#[cfg(test)]
mod tests;
