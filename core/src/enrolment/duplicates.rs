//! Whether a face is enrolled as another student already, and whether it is like the one that it replaces.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use super::actor::Actor;
use crate::embedding::Embedding;
use crate::error::Result;
use crate::gallery::{Gallery, Match};
use crate::liveness::{LivenessSession, Reason};
use crate::recognition::{GalleryLoad, load_gallery_telling, refresh_gallery};
use crate::store::{Admission, FaceCheck, Store, StoredEmbedding, StoredTemplate, TemplateMark};
use crate::types::{StudentId, Threshold};

/// What to do with a face that is enrolled as another student already.
///
/// ```
/// use faceattend_core::enrolment::DuplicatePolicy;
///
/// assert_eq!(DuplicatePolicy::parse("warn"), Some(DuplicatePolicy::Warn));
/// assert_eq!(DuplicatePolicy::default(), DuplicatePolicy::Refuse);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DuplicatePolicy {
    /// Refuses the enrolment.
    #[default]
    Refuse,
    /// Enrols the face and names the other student in the answer: for twins, and for models that take strangers for
    /// each other.
    Warn,
    /// Compares the face with nobody.
    Allow,
}

impl DuplicatePolicy {
    /// Returns the policy that `name` spells: `refuse`, `warn` or `allow`.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "refuse" => Some(Self::Refuse),
            "warn" => Some(Self::Warn),
            "allow" => Some(Self::Allow),
            _ => None,
        }
    }

    /// Returns whom else than `student` the completed `session` shows, as far as this policy asks.
    ///
    /// # Errors
    /// As [`enrolled_as`].
    pub fn known(
        self,
        gallery: &Gallery,
        session: &LivenessSession,
        student: Option<StudentId>,
    ) -> Result<Option<Match>> {
        let Some(center) = session.final_template() else { return Ok(None) };
        self.resembled(gallery, center, student)
    }

    fn resembled(self, gallery: &Gallery, center: &Embedding, student: Option<StudentId>) -> Result<Option<Match>> {
        match self {
            Self::Allow => Ok(None),
            Self::Warn | Self::Refuse => nearest_other(gallery, center, student, already_enrolled()),
        }
    }

    /// Returns whether this policy refuses a face that is `known` already.
    #[must_use]
    pub fn refuses(self, known: Option<&Match>) -> bool {
        known.is_some() && self == Self::Refuse
    }
}

/// From which similarity a face counts as one that is enrolled: 0.75, cosine 0.50 for ArcFace-class models, where of
/// 2,722 strangers 4 in 10,000 resembled one of 153 people (five pictures each averaged), and 0.583 for the default
/// pack's: of 1,078 people, each against 1,077 others, none resembled another (0 to 0.0034 at 95%; the most alike two
/// reached cosine 0.516), while 0.81 of pairs of single pictures of one person do. Stricter than recognition, because
/// the face is compared with everybody, and refusing a new student is worse than overlooking an old one.
pub const ALREADY_ENROLLED: f32 = 0.75;

/// Returns [`ALREADY_ENROLLED`] as a threshold.
#[must_use]
pub fn already_enrolled() -> Threshold {
    Threshold::new(ALREADY_ENROLLED).unwrap_or_default()
}

/// How many people that a face resembles the gallery proposes to the database. One of them is enough; the others count
/// where the database has lost the first ones in the moment before.
const PROPOSED: usize = 8;

/// Returns the person in `gallery`, other than `student`, whose face the completed `session` shows, if there is one:
/// the most similar of those that reach `threshold` for the center view. `None` for a session that is not completed.
///
/// # Errors
/// [`Error::ModelMismatch`](crate::Error::ModelMismatch) when the gallery is another model's.
pub fn enrolled_as(
    gallery: &Gallery,
    session: &LivenessSession,
    student: Option<StudentId>,
    threshold: Threshold,
) -> Result<Option<Match>> {
    let Some(center) = session.final_template() else { return Ok(None) };
    nearest_other(gallery, center, student, threshold)
}

fn nearest_other(
    gallery: &Gallery,
    center: &Embedding,
    student: Option<StudentId>,
    threshold: Threshold,
) -> Result<Option<Match>> {
    // The student itself may be the most similar; then the next one is looked at.
    let others = gallery.search(center, 2)?.into_iter().filter(|found| Some(found.student) != student);
    Ok(others.into_iter().find(|found| threshold.admits(found.similarity)))
}

/// Returns whom a face has to be compared with in the database, as far as `gallery` knows: those whom it resembles.
///
/// # Errors
/// As [`enrolled_as`].
pub fn proposed(gallery: &Gallery, template: &Embedding) -> Result<Vec<StudentId>> {
    let similar = gallery.search(template, PROPOSED)?.into_iter();
    Ok(similar.filter(|found| already_enrolled().admits(found.similarity)).map(|found| found.student).collect())
}

/// Returns the reason that an answer gives for a face that is `found` already.
#[must_use]
pub fn known_as(found: &Match) -> Reason {
    Reason::AlreadyEnrolled { student: found.student, similarity: found.similarity }
}

/// Returns whether no view of the completed `session` reaches the threshold of recognition for any of the templates
/// that `own`, the gallery of one person, holds. A face that its model cannot compare is not unlike: the person has to
/// enrol again.
///
/// # Errors
/// As [`enrolled_as`].
pub fn is_unlike(own: &Gallery, session: &LivenessSession) -> Result<bool> {
    are_unlike(own, session.templates())
}

fn are_unlike<'a>(own: &Gallery, views: impl IntoIterator<Item = &'a Embedding>) -> Result<bool> {
    if own.templates() == 0 {
        return Ok(false);
    }
    for view in views {
        if own.search(view, 1)?.iter().any(|found| Threshold::default().admits(found.similarity)) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// A face that is to be enrolled.
pub(super) struct Candidate<'a> {
    /// The view that is compared with other people.
    pub(super) center: &'a Embedding,
    /// All views.
    pub(super) views: Vec<&'a Embedding>,
    /// Whom it is meant for, where that is known: not another student.
    pub(super) student: Option<StudentId>,
}

impl<'a> Candidate<'a> {
    /// Returns the face of a session; `None` for one that is not completed.
    pub(super) fn of(session: &'a LivenessSession) -> Option<Self> {
        let (center, views) = (session.final_template()?, session.templates().collect());
        Some(Self { center, views, student: session.student() })
    }
}

/// What a comparison told of a face.
#[derive(Debug, Clone, Default)]
pub(super) struct Compared {
    /// The other student whom it resembles, as far as the policy asks.
    pub(super) resembles: Option<Match>,
    /// Whether it is unlike the face whose place it takes.
    pub(super) is_unlike: bool,
}

impl Compared {
    /// Returns whose face it is, for one that was refused; `None` when it was refused for being unlike.
    pub(super) fn refusal(&self) -> Option<Match> {
        self.resembles.filter(|_| !self.is_unlike)
    }
}

/// The gallery of a registry, kept as the store has it, and the policy for a face that is in it already.
pub(super) struct Faces {
    pub(super) gallery: Arc<Gallery>,
    policy: DuplicatePolicy,
    /// Held from the reading of the store to the change of the gallery: what is read first is not written last.
    turn: Mutex<()>,
    /// The newest template that was in the store when the gallery was loaded.
    loaded_to: AtomicI64,
}

impl std::fmt::Debug for Faces {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}, {:?}", self.gallery, self.policy)
    }
}

impl Faces {
    pub(super) fn new(gallery: Arc<Gallery>, policy: DuplicatePolicy) -> Self {
        let loaded_to = AtomicI64::new(TemplateMark::BEGINNING.0);
        Self { gallery, policy, turn: Mutex::default(), loaded_to }
    }

    pub(super) fn load(&self, store: &dyn Store, told: &mut dyn FnMut(u64, u64) -> Result<()>) -> Result<GalleryLoad> {
        let _turn = self.turn();
        // Before the templates are read: what is written in between counts as written since.
        let mark = store.newest_template()?;
        let load = load_gallery_telling(&self.gallery, store, None, told)?;
        self.loaded_to.store(mark.0, Ordering::Release);
        Ok(load)
    }

    pub(super) fn refresh(&self, store: &dyn Store, student: StudentId) -> Result<GalleryLoad> {
        let _turn = self.turn();
        refresh_gallery(&self.gallery, store, student, None)
    }

    pub(super) fn remove(&self, student: StudentId) {
        let _turn = self.turn();
        self.gallery.remove(student);
    }

    /// Returns whom the completed session's face resembles, as far as the policy asks and the gallery knows.
    pub(super) fn resembling(&self, session: &LivenessSession) -> Result<Option<Match>> {
        self.policy.known(&self.gallery, session, session.student())
    }

    /// Runs `write` with the check that it has to make inside its transaction: whether the face is another's than
    /// `student`'s, and, where `student` is there and has a face, whether it is like that one. Returns what was
    /// written, and what the comparison told.
    ///
    /// The gallery may be behind the database: other threads, servers and programs write too. So it only proposes whom
    /// to compare with; the database adds what was written since the gallery was loaded, and its templates decide.
    pub(super) fn guard<T>(
        &self,
        face: Option<&Candidate<'_>>,
        student: Option<StudentId>,
        actor: Actor<'_>,
        write: impl FnOnce(Option<FaceCheck<'_>>) -> Result<T>,
    ) -> Result<(T, Compared)> {
        let mut compared = Compared::default();
        let Some(face) = face else { return Ok((write(None)?, compared)) };
        let asks = self.policy != DuplicatePolicy::Allow;
        if !asks && student.is_none() {
            return Ok((write(None)?, compared));
        }
        // The mark first: a gallery that is loaded after it knows more, never less.
        let since = if asks { self.loaded_to() } else { TemplateMark::END };
        let mut of = if asks { proposed(&self.gallery, face.center)? } else { Vec::new() };
        of.extend(student.filter(|student| !of.contains(student)));
        let except = student.or(face.student);
        let mut admits = |stored: Vec<StoredTemplate>| {
            let (own, others): (Vec<_>, Vec<_>) = stored.into_iter().partition(|its| Some(its.student) == except);
            compared.resembles = self.policy.resembled(&self.people_of(others)?, face.center, None)?;
            if self.policy.refuses(compared.resembles.as_ref()) {
                return Ok(Admission::Refused);
            }
            compared.is_unlike = are_unlike(&self.people_of(own)?, face.views.iter().copied())?;
            Ok(match (compared.is_unlike, actor.replaces_unlike_faces()) {
                (false, _) => Admission::Admitted,
                (true, true) => Admission::AdmittedUnlike,
                (true, false) => Admission::Refused,
            })
        };
        let written = write(Some(FaceCheck { since, of: &of, admits: &mut admits }))?;
        Ok((written, compared))
    }

    /// Returns a gallery of just these templates, by the rules of the registry's own.
    pub(super) fn people_of(&self, stored: Vec<StoredTemplate>) -> Result<Gallery> {
        let embedder = self.gallery.embedder();
        let mut views: BTreeMap<StudentId, Vec<Embedding>> = BTreeMap::new();
        for StoredTemplate { student, embedding, .. } in stored {
            // What another model made is compared with nothing, as in the registry's gallery.
            if let StoredEmbedding::Tagged(view) = embedding
                && view.model() == &embedder.model
                && view.values().len() == embedder.dimension
            {
                views.entry(student).or_default().push(view);
            }
        }
        let people = Gallery::new(embedder.clone());
        people.load(views)?;
        Ok(people)
    }

    pub(super) fn loaded_to(&self) -> TemplateMark {
        TemplateMark(self.loaded_to.load(Ordering::Acquire))
    }

    fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
