//! Students and how they get a face.

use jiff::Timestamp;

use super::{Enrolee, Enrolment, FaceCheck, Listed, Merged, Page, Student, StudentChange, StudentFilter, StudentMerge};
use crate::embedding::Embedding;
use crate::error::Result;
use crate::types::{ModelId, SessionId, StudentId};

/// The students.
pub trait Students: Send + Sync {
    /// Creates a student without a face. Roll numbers are one that differ in white space around them, in the kind of
    /// white space inside, in characters without width, or in how Unicode composes them (NFC). Letter case counts.
    ///
    /// # Errors
    /// [`Error::Conflict`](crate::Error::Conflict) when the roll number is taken;
    /// [`Error::InvalidInput`](crate::Error::InvalidInput) for a text beyond its [limit](super::limits), or with a
    /// control character.
    fn create_student(&self, name: &str, roll_number: &str, now: Timestamp) -> Result<Student>;

    /// Returns a page of the students, ordered by id, and how many there are in all. `search` keeps the students whose
    /// name or roll number contains it, whatever its letter case and its accents: `muller` finds `MÜLLER`. `%` alone
    /// finds everybody, as in the existing service; inside a word `%` and `_` mean themselves.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn students(&self, search: Option<&str>, page: Page) -> Result<Listed<Student>> {
        self.students_listed(&StudentFilter { search: search.map(str::to_owned), ..StudentFilter::default() }, page)
    }

    /// Returns the same list with only the students who have to enrol again to be recognized by `model`
    /// ([`Student::must_enrol_again`]). Reads no embedding, and so needs no key.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn students_to_enrol_again(&self, model: &ModelId, search: Option<&str>, page: Page) -> Result<Listed<Student>> {
        let must_enrol_again_for = Some(model.clone());
        let search = search.map(str::to_owned);
        self.students_listed(&StudentFilter { search, must_enrol_again_for, ..StudentFilter::default() }, page)
    }

    /// Returns a page of the students whom the filter lets pass, in its order, and how many there are in all.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn students_listed(&self, filter: &StudentFilter, page: Page) -> Result<Listed<Student>>;

    /// Returns the students whose roll numbers are one, although each was added before that was looked at, or by a
    /// program that does not look: a list for each such number, oldest student first. They stay as they are until a
    /// person changes one of them.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn students_of_one_roll_number(&self) -> Result<Vec<Vec<Student>>>;

    /// Returns the student with this id.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn student(&self, id: StudentId) -> Result<Option<Student>>;

    /// Changes name and roll number where given; returns the student as it is now.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound); [`Error::Conflict`](crate::Error::Conflict) when the roll number
    /// is another student's; [`Error::InvalidInput`](crate::Error::InvalidInput) for a text beyond its
    /// [limit](super::limits).
    fn update_student(&self, id: StudentId, change: &StudentChange, now: Timestamp) -> Result<Student>;

    /// Gives `who` the face that a completed liveness session proved, and uses up the session in the same transaction:
    /// of two calls that race one wins and the other sees the session used. [`Registry`](crate::enrolment::Registry)
    /// calls it with the check that its policy asks for.
    ///
    /// `check` is answered first, by the templates that the transaction itself sees; of two enrolments that race, also
    /// from two processes, the later one sees the templates of the earlier one. `None` when it does not admit the face;
    /// nothing has changed then. The audit log gets an entry of `actor` in the same transaction.
    ///
    /// # Errors
    /// In this order: [`Error::InvalidInput`](crate::Error::InvalidInput) for a text beyond its
    /// [limit](super::limits), [`Error::NotFound`](crate::Error::NotFound) for an unknown session,
    /// [`Error::State`](crate::Error::State) for one that is not completed,
    /// [`Error::Conflict`](crate::Error::Conflict) for a taken roll number and
    /// [`Error::NotFound`](crate::Error::NotFound) for an unknown student,
    /// [`Error::State`](crate::Error::State) for a session already used or begun for another student. After any of them
    /// nothing has changed: a duplicate roll number does not cost the session.
    fn enrol(
        &self,
        session: SessionId,
        who: &Enrolee<'_>,
        enrolment: &Enrolment,
        check: Option<FaceCheck<'_>>,
        actor: &str,
        now: Timestamp,
    ) -> Result<Option<Student>>;

    /// Gives `who` a face that no liveness session proved: the student is not verified then. The check, the transaction
    /// and the entry of the audit log are those of [`enrol`](Self::enrol); `entry` holds the actor, and where the face
    /// is from. [`Registry::enrol_unproven`](crate::enrolment::Registry::enrol_unproven) calls it.
    ///
    /// # Errors
    /// [`Error::InvalidInput`](crate::Error::InvalidInput) for a text beyond its [limit](super::limits) and without a
    /// template, [`Error::Conflict`](crate::Error::Conflict) for a taken roll number,
    /// [`Error::NotFound`](crate::Error::NotFound) for an unknown student. Nothing has changed then.
    fn enrol_unproven(
        &self,
        who: &Enrolee<'_>,
        templates: &[Embedding],
        check: Option<FaceCheck<'_>>,
        entry: (&str, &str),
        now: Timestamp,
    ) -> Result<Option<Student>>;

    /// Makes one student of two records of one person, and erases the other record. Marks, corrections and entries of
    /// the second-look list become those of the record that stays. Of two marks for one period of a day the earlier
    /// stays, with the corrections of both, the status that a person gave last, and the later check-out; of two open
    /// entries of the list that of the record that stays does, and a mark settles both. The record that stays takes
    /// the other's consent where it has none. The audit log gets an entry of `actor` about each of the two.
    ///
    /// `None` when the check does not admit it; nothing has changed then.
    /// [`Registry::merge`](crate::enrolment::Registry::merge) calls it with the check that its rules ask for.
    ///
    /// # Errors
    /// [`Error::InvalidInput`](crate::Error::InvalidInput) for one and the same record twice;
    /// [`Error::NotFound`](crate::Error::NotFound) where one of the two is not there.
    fn merge_students(&self, merge: StudentMerge<'_>, actor: &str, now: Timestamp) -> Result<Option<Merged>>;
}
