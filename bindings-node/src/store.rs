//! The database: students, sessions, attendance.

use std::sync::{Arc, Mutex};

use faceattend_core::Result;
use faceattend_core::enrolment::{
    Actor, DuplicatePolicy as CorePolicy, EnrolmentOutcome, KeptSession, Merge, Registry,
};
use faceattend_core::store::{
    Erasure as CoreErasure, Listed, MarksOfErased as CoreMarks, Merged as CoreMerged, MergedFace as CoreMergedFace,
    Order, Page, Store as CoreStore, StoredEmbedding, Student as CoreStudent, StudentChange as CoreChange,
    StudentFilter, StudentsBy as CoreBy, open,
};
use faceattend_core::types::StudentId;
use jiff::Timestamp;
use napi::bindgen_prelude::AsyncTask;
use napi_derive::napi;

use crate::embedding::{self, Embedding};
use crate::error::OrThrow as _;
use crate::gallery::{Gallery, student, whole};
use crate::job::{Job, job};
use crate::liveness::{LivenessSession, session_id};
use crate::time::{self, Date};

/// A student, without the face.
#[napi(object, use_nullable = true)]
pub struct Student {
    /// The key. It is never given to another student.
    pub id: i64,
    pub name: String,
    /// Unique.
    pub roll_number: String,
    /// Whether a liveness session proved the stored face.
    pub liveness_verified: bool,
    /// When it did.
    pub liveness_verification_date: Option<Date>,
    /// The liveness score of that session, in [0, 1]; 0 without one.
    pub liveness_confidence_score: f64,
    /// Whether the student has a stored face.
    pub has_face: bool,
    /// The model of the stored embedding; `null` without one and for one that an older service made.
    pub model: Option<String>,
    /// In whole seconds.
    pub created_at: Date,
    /// When it was last changed; `null` until then.
    pub updated_at: Option<Date>,
}

/// What to change of a student; what is left out stays.
#[napi(object, object_to_js = false)]
pub struct StudentChange {
    pub name: Option<String>,
    pub roll_number: Option<String>,
}

/// What students are ordered by: the key, the name without regard to case and accents, the roll number (9 before 10),
/// or whether a face is stored, those without one first.
#[napi(string_enum = "snake_case")]
pub enum StudentsBy {
    Id,
    Name,
    RollNumber,
    Face,
}

/// Which students to list.
#[napi(object, object_to_js = false)]
#[derive(Default)]
pub struct StudentQuery {
    /// Those whose name or roll number contains this, without regard to ASCII case; `%` and `_` stand for anything.
    pub search: Option<String>,
    /// Whether only those without a face are listed. Default false.
    pub no_face: Option<bool>,
    /// Default `id`.
    pub sort: Option<StudentsBy>,
    /// Whether the largest comes first. Default false.
    pub descending: Option<bool>,
    /// How many to skip. Default 0.
    pub skip: Option<f64>,
    /// How many to return at most. Default 100.
    pub limit: Option<f64>,
}

/// A slice of the students.
#[napi(object)]
pub struct StudentList {
    pub items: Vec<Student>,
    /// How many there are without the slicing.
    pub total: i64,
}

/// What becomes of the attendance of a student who is erased: `delete` it, or keep it for the statistics under a
/// student without a name.
#[napi(string_enum = "lowercase")]
pub enum MarksOfErased {
    Delete,
    Anonymize,
}

/// How a student is erased.
#[napi(object, object_to_js = false)]
pub struct EraseOptions {
    /// Default `delete`.
    pub marks: Option<MarksOfErased>,
}

/// Whose face a student has after a merge: that of the record that stays, or of the one that goes. A record without a
/// face takes the other's.
#[napi(string_enum = "lowercase")]
pub enum MergedFace {
    Kept,
    Other,
}

/// How two records of one person become one.
#[napi(object, object_to_js = false)]
pub struct MergeOptions {
    /// Default `kept`.
    pub face: Option<MergedFace>,
    /// The name in the audit log. Default `node`.
    pub actor: Option<String>,
    /// Whether records may be merged whose faces are unlike or cannot be compared. Only a store with a gallery compares
    /// them. Default false.
    pub merge_unlike: Option<bool>,
}

/// What a merge of two records moved and erased.
#[napi(object)]
pub struct Merged {
    /// The student who stayed, as it is now.
    pub student: Student,
    /// What was erased with the other record. `marksDeleted` counts the later one of two marks of one period.
    pub erasure: Erasure,
    /// How many attendance rows are the student's now.
    pub marks_moved: i64,
    /// How many corrections were moved from a row that is gone to the one that stayed.
    pub corrections_moved: i64,
    /// How many entries of the second-look list are the student's now.
    pub second_looks_moved: i64,
    /// Whether the face is that of the record that was erased.
    pub took_face: bool,
    /// Whether the consent is.
    pub took_consent: bool,
}

/// Who registers a student.
#[napi(object, object_to_js = false)]
pub struct RegisterOptions {
    /// The name in the audit log. Default `node`.
    pub actor: Option<String>,
}

/// Who gives a student another face.
#[napi(object, object_to_js = false)]
pub struct EnrolOptions {
    /// The name in the audit log. Default `node`.
    pub actor: Option<String>,
    /// Whether the face may take the place of one that it is unlike. Only a store with a gallery compares them. Default
    /// false.
    pub replace_unlike: Option<bool>,
}

/// The actor of a call that names none.
pub(crate) const ACTOR: &str = "node";

/// What an erasure erased.
#[napi(object)]
pub struct Erasure {
    /// The student as it was.
    pub student: Student,
    /// How many templates are gone.
    pub templates: i64,
    /// How many liveness sessions are gone.
    pub sessions: i64,
    /// How many attendance rows are gone.
    pub marks_deleted: i64,
    /// How many attendance rows stayed, without a name.
    pub marks_anonymized: i64,
    /// How many entries of the second-look list are gone.
    pub second_looks: i64,
}

/// The database: SQLite in a file, or a PostgreSQL. Every method is one transaction: it happened as a whole and
/// survives the death of the process once its promise resolves, or it did not happen. A lookup that finds nothing is
/// `null`; a change to what is not there rejects with `not_found`, a database that fails with `store`.
#[napi]
pub struct Store {
    pub(crate) inner: Arc<dyn CoreStore>,
    registry: Arc<Registry>,
}

/// What to do with a face that is enrolled as another student already: `refuse` the enrolment (`conflict`), or `allow`
/// it and compare with nobody.
#[napi(string_enum = "lowercase")]
pub enum DuplicatePolicy {
    Refuse,
    Allow,
}

#[napi]
impl Store {
    /// Opens a database and brings an older one up to date. `location` is the path of a SQLite file, which is created
    /// when it is not there, or `postgres://USER:PASSWORD@HOST/NAME`. Rejects with `invalid_input` for the URL of
    /// another kind of database.
    #[napi(ts_args_type = "location: string, options?: Abortable", ts_return_type = "Promise<Store>")]
    pub fn open(location: String) -> AsyncTask<Job<Store>> {
        job(move || {
            let inner = open(&location)?;
            Ok(Self { registry: Arc::new(Registry::new(inner.clone())), inner })
        })
    }

    /// Resolves to the same database with a gallery. It loads the gallery, keeps it up to date with the enrolments and
    /// erasures that are made through it, and compares the face of every enrolment with everybody who is enrolled,
    /// inside the transaction that writes it. `duplicates` is `refuse` unless it is given.
    #[napi(
        ts_args_type = "gallery: Gallery, duplicates?: DuplicatePolicy, options?: Abortable",
        ts_return_type = "Promise<Store>"
    )]
    pub fn with_gallery(&self, gallery: &Gallery, duplicates: Option<DuplicatePolicy>) -> AsyncTask<Job<Store>> {
        let policy = match duplicates {
            None | Some(DuplicatePolicy::Refuse) => CorePolicy::Refuse,
            Some(DuplicatePolicy::Allow) => CorePolicy::Allow,
        };
        let (inner, gallery) = (self.inner.clone(), gallery.inner.clone());
        job(move || {
            let registry = Registry::new(inner.clone()).with_gallery(gallery, policy);
            registry.load_gallery()?;
            Ok(Self { inner, registry: Arc::new(registry) })
        })
    }

    /// Resolves when the database answers.
    #[napi(ts_args_type = "options?: Abortable", ts_return_type = "Promise<void>")]
    pub fn check(&self) -> AsyncTask<Job<()>> {
        self.job(|store| store.check())
    }

    /// Creates a student without a face. Rejects with `conflict` when the roll number is taken.
    #[napi(ts_args_type = "name: string, rollNumber: string, options?: Abortable", ts_return_type = "Promise<Student>")]
    pub fn create_student(&self, name: String, roll_number: String) -> AsyncTask<Job<Student>> {
        self.job(move |store| store.create_student(&name, &roll_number, Timestamp::now()).map(|s| (&s).into()))
    }

    /// Resolves to the student with this key.
    #[napi(ts_args_type = "id: number, options?: Abortable", ts_return_type = "Promise<Student | null>")]
    pub fn student(&self, id: f64) -> napi::Result<AsyncTask<Job<Option<Student>>>> {
        let id = student(id).or_throw()?;
        Ok(self.job(move |store| Ok(store.student(id)?.as_ref().map(Into::into))))
    }

    /// Resolves to the students who pass the query, in its order.
    #[napi(ts_args_type = "query?: StudentQuery & Abortable", ts_return_type = "Promise<StudentList>")]
    pub fn students(&self, query: Option<StudentQuery>) -> napi::Result<AsyncTask<Job<StudentList>>> {
        let query = query.unwrap_or_default();
        let page = page(query.skip, query.limit).or_throw()?;
        let filter = StudentFilter {
            search: query.search,
            without_face: query.no_face.unwrap_or(false),
            order: Order {
                by: query.sort.map_or(CoreBy::Id, Into::into),
                descending: query.descending.unwrap_or(false),
            },
            ..StudentFilter::default()
        };
        Ok(self.job(move |store| {
            let Listed { items, total } = store.students_listed(&filter, page)?;
            Ok(StudentList { items: items.iter().map(Into::into).collect(), total: total.cast_signed() })
        }))
    }

    /// Changes what is given, and resolves to the student as it is now. Rejects with `conflict` when the roll number is
    /// another student's.
    #[napi(
        ts_args_type = "id: number, change: StudentChange, options?: Abortable",
        ts_return_type = "Promise<Student>"
    )]
    pub fn update_student(&self, id: f64, change: StudentChange) -> napi::Result<AsyncTask<Job<Student>>> {
        let id = student(id).or_throw()?;
        let change = CoreChange { name: change.name, roll_number: change.roll_number };
        Ok(self.job(move |store| store.update_student(id, &change, Timestamp::now()).map(|s| (&s).into())))
    }

    /// Erases what identifies a student: the face, the templates, and the liveness sessions with the embeddings in
    /// them. Take the student out of galleries too, other than that of `withGallery`.
    #[napi(ts_args_type = "id: number, options?: EraseOptions & Abortable", ts_return_type = "Promise<Erasure>")]
    pub fn erase_student(&self, id: f64, options: Option<EraseOptions>) -> napi::Result<AsyncTask<Job<Erasure>>> {
        let id = student(id).or_throw()?;
        let marks = match options.and_then(|options| options.marks) {
            None | Some(MarksOfErased::Delete) => CoreMarks::Delete,
            Some(MarksOfErased::Anonymize) => CoreMarks::Anonymise,
        };
        let registry = self.registry();
        Ok(job(move || registry.erase(id, marks, Timestamp::now()).map(Into::into)))
    }

    /// Makes one student of two records of one person, and erases the other record. Attendance, corrections and second
    /// looks become those of the student who stays: of two marks of one period of a day the earlier one. Rejects with
    /// `conflict` when the store has a gallery and the faces are unlike.
    #[napi(
        ts_args_type = "id: number, otherId: number, options?: MergeOptions & Abortable",
        ts_return_type = "Promise<Merged>"
    )]
    pub fn merge_students(
        &self,
        id: f64,
        other_id: f64,
        options: Option<MergeOptions>,
    ) -> napi::Result<AsyncTask<Job<Merged>>> {
        let (id, other) = (student(id).or_throw()?, student(other_id).or_throw()?);
        let options = options.unwrap_or(MergeOptions { face: None, actor: None, merge_unlike: None });
        let face = match options.face {
            None | Some(MergedFace::Kept) => CoreMergedFace::Kept,
            Some(MergedFace::Other) => CoreMergedFace::Other,
        };
        let registry = self.registry();
        Ok(job(move || {
            let actor = Actor::named(options.actor.as_deref().unwrap_or(ACTOR));
            let actor = actor.replacing_unlike_faces(options.merge_unlike.unwrap_or(false));
            let merge = Merge::into(id, other).with_face(face);
            registry.merge(merge, actor, Timestamp::now())?.into_merged().map(Into::into)
        }))
    }

    /// Erases a student with its attendance; resolves to what the student was.
    ///
    /// @deprecated Use `eraseStudent`.
    #[napi(ts_args_type = "id: number, options?: Abortable", ts_return_type = "Promise<Student>")]
    pub fn delete_student(&self, id: f64) -> napi::Result<AsyncTask<Job<Student>>> {
        let id = student(id).or_throw()?;
        let registry = self.registry();
        Ok(job(move || {
            let erasure = registry.erase(id, CoreMarks::Delete, Timestamp::now())?;
            Ok((&erasure.student).into())
        }))
    }

    /// Creates a student with the face that a completed liveness session proved. It uses the session up in the same
    /// transaction, so that of two calls that race one wins and the other rejects with `state`. A taken roll number
    /// (`conflict`) does not cost the session.
    #[napi(
        ts_args_type = "session: LivenessSession, name: string, rollNumber: string, \
                        options?: RegisterOptions & Abortable",
        ts_return_type = "Promise<Student>"
    )]
    pub fn register_student(
        &self,
        session: &LivenessSession,
        name: String,
        roll_number: String,
        options: Option<RegisterOptions>,
    ) -> AsyncTask<Job<Student>> {
        let actor = options.and_then(|options| options.actor);
        self.enrolling(session, move |registry, kept, now| {
            let actor = Actor::named(actor.as_deref().unwrap_or(ACTOR));
            registry.register_kept(kept, &name, &roll_number, actor, now)
        })
    }

    /// Gives an existing student the face that a completed liveness session proved, in place of the one it had, and
    /// uses up the session in the same transaction. Rejects with `conflict` when it is unlike that one.
    #[napi(
        ts_args_type = "session: LivenessSession, studentId: number, options?: EnrolOptions & Abortable",
        ts_return_type = "Promise<Student>"
    )]
    pub fn enrol_student(
        &self,
        session: &LivenessSession,
        student_id: f64,
        options: Option<EnrolOptions>,
    ) -> napi::Result<AsyncTask<Job<Student>>> {
        let student = student(student_id).or_throw()?;
        let options = options.unwrap_or(EnrolOptions { actor: None, replace_unlike: None });
        Ok(self.enrolling(session, move |registry, kept, now| {
            let actor = Actor::named(options.actor.as_deref().unwrap_or(ACTOR));
            let actor = actor.replacing_unlike_faces(options.replace_unlike.unwrap_or(false));
            registry.enrol_kept(kept, Some(student), actor, now)
        }))
    }

    /// Replaces the templates of an existing student without a session: for an operator's own import. Liveness then
    /// counts as not verified.
    #[napi(
        ts_args_type = "studentId: number, templates: Array<Embedding>, options?: Abortable",
        ts_return_type = "Promise<Student>"
    )]
    pub fn replace_templates(
        &self,
        student_id: f64,
        templates: Vec<Embedding>,
    ) -> napi::Result<AsyncTask<Job<Student>>> {
        let student = student(student_id).or_throw()?;
        let templates = embedding::take_all(&templates).or_throw()?;
        Ok(self.job(move |store| {
            store.replace_templates(student, &templates, Timestamp::now()).map(|student| (&student).into())
        }))
    }

    /// Resolves to the templates of one student. It leaves out those of an older service, which name no model.
    #[napi(ts_args_type = "studentId: number, options?: Abortable", ts_return_type = "Promise<Array<Embedding>>")]
    pub fn templates_of(&self, student_id: f64) -> napi::Result<AsyncTask<Job<Vec<Embedding>>>> {
        let student = student(student_id).or_throw()?;
        Ok(self.job(move |store| {
            let tagged = |stored: &StoredEmbedding| match stored {
                StoredEmbedding::Tagged(embedding) => Some(embedding.into()),
                StoredEmbedding::Legacy(_) => None,
            };
            Ok(store.templates_of(student)?.iter().filter_map(|template| tagged(&template.embedding)).collect())
        }))
    }

    /// Writes the session into the database, or what has changed of it. Rejects with `state` when another process has
    /// changed it meanwhile: read it with `session` and repeat the frame.
    #[napi(ts_args_type = "session: LivenessSession, options?: Abortable", ts_return_type = "Promise<void>")]
    pub fn save_session(&self, session: &LivenessSession) -> AsyncTask<Job<()>> {
        let (live, registry) = (session.live.clone(), self.registry());
        job(move || registry.keep(&live, Timestamp::now()))
    }

    /// Resolves to the session with this key.
    #[napi(ts_args_type = "id: string, options?: Abortable", ts_return_type = "Promise<LivenessSession | null>")]
    pub fn session(&self, id: String) -> AsyncTask<Job<Option<LivenessSession>>> {
        let registry = self.registry();
        job(move || {
            // What spells no key is the key of no session.
            let Ok(id) = session_id(&id) else { return Ok(None) };
            Ok(registry.kept(id)?.map(LivenessSession::of))
        })
    }
}

impl Store {
    fn job<T>(&self, work: impl FnOnce(&dyn CoreStore) -> Result<T> + Send + 'static) -> AsyncTask<Job<T>>
    where
        T: napi::bindgen_prelude::ToNapiValue + napi::bindgen_prelude::TypeName + Send + 'static,
    {
        let store = self.inner.clone();
        job(move || work(&*store))
    }

    fn enrolling(
        &self,
        session: &LivenessSession,
        enrol: impl FnOnce(&Registry, &Mutex<KeptSession>, Timestamp) -> Result<EnrolmentOutcome> + Send + 'static,
    ) -> AsyncTask<Job<Student>> {
        let (live, registry) = (session.live.clone(), self.registry());
        job(move || {
            let enrolled = enrol(&registry, &live, Timestamp::now())?.into_enrolled()?;
            Ok((&enrolled.student).into())
        })
    }

    fn registry(&self) -> Arc<Registry> {
        Arc::clone(&self.registry)
    }
}

impl From<StudentsBy> for CoreBy {
    fn from(by: StudentsBy) -> Self {
        match by {
            StudentsBy::Id => Self::Id,
            StudentsBy::Name => Self::Name,
            StudentsBy::RollNumber => Self::RollNumber,
            StudentsBy::Face => Self::Face,
        }
    }
}

impl From<CoreErasure> for Erasure {
    fn from(erasure: CoreErasure) -> Self {
        Self {
            student: (&erasure.student).into(),
            templates: erasure.templates.cast_signed(),
            sessions: erasure.sessions.cast_signed(),
            marks_deleted: erasure.marks_deleted.cast_signed(),
            marks_anonymized: erasure.marks_anonymised.cast_signed(),
            second_looks: erasure.second_looks.cast_signed(),
        }
    }
}

impl From<CoreMerged> for Merged {
    fn from(merged: CoreMerged) -> Self {
        Self {
            student: (&merged.student).into(),
            marks_moved: merged.marks_moved.cast_signed(),
            corrections_moved: merged.corrections_moved.cast_signed(),
            second_looks_moved: merged.second_looks_moved.cast_signed(),
            took_face: merged.took_face,
            took_consent: merged.took_consent,
            erasure: merged.erasure.into(),
        }
    }
}

impl From<&CoreStudent> for Student {
    fn from(student: &CoreStudent) -> Self {
        let StudentId(id) = student.id;
        Self {
            id,
            name: student.name.clone(),
            roll_number: student.roll_number.clone(),
            liveness_verified: student.liveness_verified,
            liveness_verification_date: student.liveness_verification_date.map(time::date),
            liveness_confidence_score: student.liveness_confidence_score,
            has_face: student.has_face,
            model: student.model.as_ref().map(ToString::to_string),
            created_at: time::date(student.created_at),
            updated_at: student.updated_at.map(time::date),
        }
    }
}

/// The slice of a list that JavaScript asks for: the first hundred rows unless it says otherwise.
pub(crate) fn page(skip: Option<f64>, limit: Option<f64>) -> Result<Page> {
    let row = |what, value: Option<f64>, default: f64| {
        whole(what, value.unwrap_or(default)).map(|n| u32::try_from(n).unwrap_or(u32::MAX))
    };
    Ok(Page { skip: row("skip", skip, 0.0)?, limit: row("limit", limit, 100.0)? })
}
