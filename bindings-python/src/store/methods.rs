//! The methods of `Store`.

use std::ffi::CStr;
use std::path::PathBuf;
use std::sync::Arc;

use faceattend_core::enrolment::{Actor, DuplicatePolicy, Merge, Registry};
use faceattend_core::recognition::load_gallery;
use faceattend_core::store::{
    MarksOfErased, MergedFace, Page, SecondLookDecision, SecondLookFilter, StoreLocation, StoredEmbedding,
    StudentChange, StudentFilter, TemplateKeys,
};
use faceattend_core::types::{ModelId, SessionId, StudentId};
use jiff::Timestamp;
use pyo3::exceptions::PyDeprecationWarning;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::attendance::Marking;
use crate::embedding::Embedding;
use crate::engine::Engine;
use crate::error::one_of;
use crate::gallery::{Gallery, loaded, templates_of};
use crate::gil::{attached, detached};
use crate::guardians;
use crate::liveness::LivenessSession;
use crate::orders;
use crate::per_process::PerProcess;
use crate::records::{Erasure, Merged, Student};
use crate::second_look::{self, SecondLook};

use super::Store;

#[pymethods]
impl Store {
    #[new]
    fn new(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        // A name that is no text is that of a file.
        let location = match path.to_str() {
            Some(text) => attached(py, || StoreLocation::parse(text))?,
            None => StoreLocation::File(path),
        };
        let make = move || location.open(TemplateKeys::none());
        Ok(Self::of(Arc::new(PerProcess::new(make))))
    }

    /// Returns the same database with a gallery, which it loads.
    ///
    /// The gallery follows the enrolments and erasures that are made through the returned store. The face of every
    /// enrolment is compared with everybody who is enrolled, inside the transaction that writes it.
    ///
    /// Parameters
    /// ----------
    /// gallery : Gallery
    /// engine : Engine
    ///     Whose embeddings are compared: those of other models are left out.
    /// duplicates : {"refuse", "allow"}
    ///     Whether a face that another student has is refused (``ConflictError``), or compared with nobody.
    #[pyo3(signature = (gallery, engine, *, duplicates="refuse"))]
    fn with_gallery(
        &self,
        py: Python<'_>,
        gallery: Py<Gallery>,
        engine: Py<Engine>,
        duplicates: &str,
    ) -> PyResult<Self> {
        let words = [("refuse", DuplicatePolicy::Refuse), ("allow", DuplicatePolicy::Allow)];
        let policy = one_of(py, "duplicates", duplicates, words)?;
        let inner = Arc::clone(&self.inner);
        let make = move || {
            let core = engine.get().core()?;
            let gallery = gallery.get().core(core.embedder());
            let registry = Registry::new(Arc::clone(&*inner.get()?)).with_gallery(gallery, policy);
            registry.load_gallery()?;
            Ok(registry)
        };
        let store = Self { inner: Arc::clone(&self.inner), registry: Arc::new(PerProcess::new(make)) };
        detached(py, || store.registry.get().map(|_| ()))?;
        Ok(store)
    }

    /// Checks that the database answers.
    ///
    /// Raises
    /// ------
    /// StoreError
    ///     When it does not.
    fn check(&self, py: Python<'_>) -> PyResult<()> {
        self.with(py, |store| store.check())
    }

    /// Creates a student without a face, and returns it.
    ///
    /// Raises
    /// ------
    /// ConflictError
    ///     When the roll number is taken.
    fn create_student(&self, py: Python<'_>, name: &str, roll_number: &str) -> PyResult<Student> {
        self.with(py, |store| store.create_student(name, roll_number, Timestamp::now())).map(Student)
    }

    /// Returns the student with this id, or ``None``.
    fn student(&self, py: Python<'_>, student_id: i64) -> PyResult<Option<Student>> {
        Ok(self.with(py, |store| store.student(StudentId(student_id)))?.map(Student))
    }

    /// Returns the students by id, or in another order.
    ///
    /// Parameters
    /// ----------
    /// search : str, optional
    ///     A part of the name or roll number.
    /// no_face : bool
    ///     Only students without a face.
    /// sort : {"id", "name", "roll_number", "face"}
    ///     What they are ordered by: 9 comes before 10 among roll numbers, and who has no face before who has one.
    /// descending : bool
    ///     Whether the largest comes first.
    /// skip, limit : int
    ///     Which slice of the list.
    #[pyo3(signature = (search=None, *, no_face=false, sort="id", descending=false, skip=0, limit=1000))]
    #[expect(clippy::too_many_arguments, reason = "Python names them")]
    fn students(
        &self,
        py: Python<'_>,
        search: Option<String>,
        no_face: bool,
        sort: &str,
        descending: bool,
        skip: u32,
        limit: u32,
    ) -> PyResult<Vec<Student>> {
        let order = orders::of_students(py, sort, descending)?;
        let filter = StudentFilter { search, without_face: no_face, order, ..StudentFilter::default() };
        let listed = self.with(py, |store| store.students_listed(&filter, Page { skip, limit }))?;
        Ok(listed.items.into_iter().map(Student).collect())
    }

    /// Changes name and roll number where given, and returns the student as it is now.
    ///
    /// Raises
    /// ------
    /// NotFoundError
    ///     When there is no such student.
    /// ConflictError
    ///     When the roll number is another student's.
    #[pyo3(signature = (student_id, *, name=None, roll_number=None))]
    fn update_student(
        &self,
        py: Python<'_>,
        student_id: i64,
        name: Option<String>,
        roll_number: Option<String>,
    ) -> PyResult<Student> {
        let change = StudentChange { name, roll_number };
        self.with(py, |store| store.update_student(StudentId(student_id), &change, Timestamp::now())).map(Student)
    }

    /// Erases what identifies a student: the face, the templates, and the liveness sessions with the embeddings in
    /// them.
    ///
    /// Take the student out of galleries too (``Gallery.remove``), other than that of ``with_gallery``.
    ///
    /// Parameters
    /// ----------
    /// student_id : int
    /// marks : {"delete", "anonymize"}
    ///     Whether the attendance goes too, or stays for the statistics under a student without a name.
    ///
    /// Raises
    /// ------
    /// NotFoundError
    ///     When there is no such student.
    #[pyo3(signature = (student_id, *, marks="delete"))]
    fn erase_student(&self, py: Python<'_>, student_id: i64, marks: &str) -> PyResult<Erasure> {
        let words = [("delete", MarksOfErased::Delete), ("anonymize", MarksOfErased::Anonymise)];
        let marks = one_of(py, "marks", marks, words)?;
        let erasure = detached(py, || self.registry.get()?.erase(StudentId(student_id), marks, Timestamp::now()))?;
        Ok(Erasure(erasure))
    }

    /// Makes one student of two records of one person, and erases the other record.
    ///
    /// Attendance, corrections and second looks become those of the student who stays: of two marks of one period of a
    /// day the earlier one.
    ///
    /// Parameters
    /// ----------
    /// student_id, other_student_id : int
    ///     The record that stays, with its name and roll number, and the one that is erased.
    /// face : {"kept", "other"}
    ///     Whose face stays. A record without a face takes the other's.
    /// actor : str
    ///     Who merges, for the audit log.
    /// merge_unlike : bool
    ///     Whether faces may be unlike, or not compared. Only a store with a gallery compares them.
    ///
    /// Raises
    /// ------
    /// NotFoundError, InvalidInputError
    ///     When one of the two is not there, or both are the same record.
    /// ConflictError
    ///     When the faces are unlike.
    #[pyo3(signature = (student_id, other_student_id, *, face="kept", actor="python", merge_unlike=false))]
    fn merge_students(
        &self,
        py: Python<'_>,
        student_id: i64,
        other_student_id: i64,
        face: &str,
        actor: &str,
        merge_unlike: bool,
    ) -> PyResult<Merged> {
        let face = one_of(py, "face", face, [("kept", MergedFace::Kept), ("other", MergedFace::Other)])?;
        let merge = Merge::into(StudentId(student_id), StudentId(other_student_id)).with_face(face);
        let actor = Actor::named(actor).replacing_unlike_faces(merge_unlike);
        let merged = detached(py, || self.registry.get()?.merge(merge, actor, Timestamp::now())?.into_merged())?;
        Ok(Merged(merged))
    }

    /// Erases a student with its attendance, and returns what the student was.
    ///
    /// .. deprecated:: 0.2
    ///     Use ``erase_student``, which this calls.
    fn delete_student(&self, py: Python<'_>, student_id: i64) -> PyResult<Student> {
        const OLD: &CStr = c"Store.delete_student is deprecated: use Store.erase_student";
        PyErr::warn(py, &py.get_type::<PyDeprecationWarning>(), OLD, 1)?;
        self.erase_student(py, student_id, "delete").map(|erasure| Student(erasure.0.student))
    }

    /// Creates a student with the face that a completed liveness session proved, and returns it.
    ///
    /// It uses the session up in the same transaction, so that of two calls at once one succeeds. A roll number that is
    /// taken does not cost the session.
    ///
    /// Parameters
    /// ----------
    /// session : LivenessSession
    ///     The session; it is written into the database first.
    /// name, roll_number : str
    ///     Of the new student.
    /// actor : str
    ///     Who enrols, for the audit log.
    ///
    /// Raises
    /// ------
    /// StateError
    ///     When the session is not complete, or has enrolled somebody.
    /// ConflictError
    ///     When the roll number is taken.
    #[pyo3(signature = (session, name, roll_number, *, actor="python"))]
    fn register_student(
        &self,
        py: Python<'_>,
        session: &LivenessSession,
        name: &str,
        roll_number: &str,
        actor: &str,
    ) -> PyResult<Student> {
        let kept = session.kept();
        let actor = Actor::named(actor);
        let enrolled = detached(py, || {
            self.registry.get()?.register_kept(&kept, name, roll_number, actor, Timestamp::now())?.into_enrolled()
        })?;
        Ok(Student(enrolled.student))
    }

    /// Replaces the face of a student by the one that a completed liveness session proved, and returns the student.
    ///
    /// It uses the session up in the same transaction.
    ///
    /// Parameters
    /// ----------
    /// session : LivenessSession
    ///     The session; it is written into the database first.
    /// student_id : int
    /// actor : str
    ///     Who enrols, for the audit log.
    /// replace_unlike : bool
    ///     Whether the face may take the place of one that it is unlike. Only a store with a gallery compares them.
    ///
    /// Raises
    /// ------
    /// StateError
    ///     When the session is not complete, has enrolled somebody, or was begun for another student.
    /// NotFoundError
    ///     When there is no such student.
    /// ConflictError
    ///     When the face is unlike the one that the student has.
    #[pyo3(signature = (session, student_id, *, actor="python", replace_unlike=false))]
    fn enrol_student(
        &self,
        py: Python<'_>,
        session: &LivenessSession,
        student_id: i64,
        actor: &str,
        replace_unlike: bool,
    ) -> PyResult<Student> {
        let kept = session.kept();
        let student = Some(StudentId(student_id));
        let actor = Actor::named(actor).replacing_unlike_faces(replace_unlike);
        let enrolled =
            detached(py, || self.registry.get()?.enrol_kept(&kept, student, actor, Timestamp::now())?.into_enrolled())?;
        Ok(Student(enrolled.student))
    }

    /// Writes a liveness session into the database, or what has changed of it.
    ///
    /// Raises
    /// ------
    /// StateError
    ///     When another process has changed it meanwhile: read it with ``session`` and repeat the frame.
    fn save_session(&self, py: Python<'_>, session: &LivenessSession) -> PyResult<()> {
        let kept = session.kept();
        detached(py, || self.registry.get()?.keep(&kept, Timestamp::now()))
    }

    /// Returns the liveness session with this id, or ``None``.
    fn session(&self, py: Python<'_>, session_id: &str) -> PyResult<Option<LivenessSession>> {
        let Some(id) = SessionId::parse(session_id) else { return Ok(None) };
        Ok(detached(py, || self.registry.get()?.kept(id))?.map(LivenessSession::of))
    }

    /// Returns sightings of people who were not believed to be alive, newest first.
    ///
    /// ``AttendanceBook.second_look`` puts them there.
    ///
    /// Parameters
    /// ----------
    /// state : {"open", "confirmed", "refused", "settled"}, optional
    ///     Only those in this state: ``"open"`` for those that wait for a decision.
    /// student_id : int, optional
    ///     Only those of one student.
    /// skip, limit : int
    ///     Which slice of the list.
    #[pyo3(signature = (*, state=None, student_id=None, skip=0, limit=1000))]
    fn second_looks(
        &self,
        py: Python<'_>,
        state: Option<&str>,
        student_id: Option<i64>,
        skip: u32,
        limit: u32,
    ) -> PyResult<Vec<SecondLook>> {
        let state = state.map(|code| second_look::state(py, code)).transpose()?;
        let filter = SecondLookFilter { state, day: None, student: student_id.map(StudentId) };
        let listed = self.with(py, |store| store.second_looks(&filter, Page { skip, limit }))?;
        Ok(listed.items.into_iter().map(SecondLook).collect())
    }

    /// Returns the sighting with this id, or ``None``.
    fn second_look(&self, py: Python<'_>, second_look_id: i64) -> PyResult<Option<SecondLook>> {
        Ok(self.with(py, |store| store.second_look(second_look_id))?.map(SecondLook))
    }

    /// Returns how many sightings wait for a decision.
    fn open_second_looks(&self, py: Python<'_>) -> PyResult<u64> {
        self.with(py, |store| store.open_second_looks())
    }

    /// Decides an open sighting, once. A confirmed one marks the student at the time of the sighting, in the same
    /// transaction.
    ///
    /// Parameters
    /// ----------
    /// second_look_id : int
    /// answer : {"confirm", "refuse"}
    ///     Whether the student was there.
    /// by : str
    ///     Who decides, which is kept with the sighting.
    ///
    /// Returns
    /// -------
    /// Marking or None
    ///     The mark of a confirmed sighting; ``None`` for a refused one.
    ///
    /// Raises
    /// ------
    /// NotFoundError
    ///     When there is no such sighting.
    /// StateError
    ///     When it is decided already, or the student was marked otherwise.
    #[pyo3(signature = (second_look_id, answer, *, by))]
    fn decide_second_look(
        &self,
        py: Python<'_>,
        second_look_id: i64,
        answer: &str,
        by: &str,
    ) -> PyResult<Option<Marking>> {
        let decision = SecondLookDecision::new(second_look::answer(py, answer)?, by, Timestamp::now());
        let decided = self.with(py, |store| store.decide_second_look(second_look_id, &decision))?;
        Ok(decided.marking.map(Marking::from))
    }

    /// Gives a student these templates in place of those it had, for an operator's own import. Liveness then counts as
    /// not verified.
    ///
    /// Parameters
    /// ----------
    /// student_id : int
    /// templates : Embedding or iterable of Embedding
    ///     The first one is the one that other services see.
    ///
    /// Raises
    /// ------
    /// NotFoundError
    ///     When there is no such student.
    fn replace_templates(&self, py: Python<'_>, student_id: i64, templates: &Bound<'_, PyAny>) -> PyResult<Student> {
        let templates = templates_of(templates)?;
        self.with(py, |store| store.replace_templates(StudentId(student_id), &templates, Timestamp::now())).map(Student)
    }

    /// Returns the templates of a student. It leaves out those of the existing service, which name no model.
    fn templates_of(&self, py: Python<'_>, student_id: i64) -> PyResult<Vec<Embedding>> {
        let stored = self.with(py, |store| store.templates_of(StudentId(student_id)))?;
        let tagged = stored.into_iter().filter_map(|template| match template.embedding {
            StoredEmbedding::Tagged(embedding) => Some(Embedding::from(embedding)),
            StoredEmbedding::Legacy(_) => None,
        });
        Ok(tagged.collect())
    }

    /// Returns the guardians of a student in the order in which they were added: ``email`` and ``language`` of letters.
    fn guardians<'py>(&self, py: Python<'py>, student_id: i64) -> PyResult<Vec<Bound<'py, PyDict>>> {
        let found = self.with(py, |store| store.guardians(StudentId(student_id)))?;
        found.iter().map(|guardian| guardians::shown(py, guardian)).collect()
    }

    /// Gives a student these guardians and no others: addresses, or mappings with ``email`` and ``language``.
    ///
    /// Raises
    /// ------
    /// NotFoundError, InvalidInputError
    ///     When there is no such student; for what is no address, or an address that is there twice.
    fn set_guardians(&self, py: Python<'_>, student_id: i64, guardians: &Bound<'_, PyAny>) -> PyResult<()> {
        let guardians = guardians::read(guardians)?;
        self.with(py, |store| store.set_guardians(StudentId(student_id), &guardians, Timestamp::now()))
    }

    /// Replaces what a gallery holds by the stored templates.
    ///
    /// Parameters
    /// ----------
    /// gallery : Gallery
    /// engine : Engine
    ///     Whose embeddings are wanted: those of other models are left out.
    /// legacy_model : str, optional
    ///     The model that made the embeddings of the existing service, on the operator's word.
    ///
    /// Returns
    /// -------
    /// dict
    ///     How many
    ///     ``people`` can be recognized, and how many templates were left out: ``of_other_models``, ``legacy``.
    #[pyo3(signature = (gallery, engine, *, legacy_model=None))]
    fn load_gallery<'py>(
        &self,
        py: Python<'py>,
        gallery: &Gallery,
        engine: &Engine,
        legacy_model: Option<&str>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let legacy = legacy_model.map(ModelId::new);
        let load = self.with(py, |store| {
            let gallery = gallery.core(engine.core()?.embedder());
            load_gallery(&gallery, store, legacy.as_ref())
        })?;
        loaded(py, &load)
    }

    fn __repr__(&self) -> &'static str {
        "<faceattend.Store>"
    }
}
