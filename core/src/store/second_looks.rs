//! The second-look list: sightings of people whom a camera recognized and could not be sure to be alive.

use super::{
    DecidedSecondLook, Listed, NewSecondLook, Page, SecondLook, SecondLookDecision, SecondLookFilter, SecondLooking,
};
use crate::error::Result;

/// The sightings that a person has to look at. No picture is among them.
///
/// A student who is marked in the day and period of an open entry needs no decision any more: the database itself
/// settles the entry with the mark, whoever makes it (a camera, an operator, the existing service).
///
/// ```
/// # #[cfg(feature = "sqlite")]
/// # fn main() -> faceattend_core::Result<()> {
/// use faceattend_core::store::{
///     Page, SecondLookAnswer, SecondLookDecision, SecondLookFilter, SecondLookVerdict, SecondLooking, SqliteStore,
///     prelude::*,
/// };
/// use faceattend_core::{AttendancePolicy, Marker, Similarity, Timestamp};
/// # let folder = tempfile::tempdir().expect("a folder");
/// # let path = folder.path().join("people.db");
/// let (store, now) = (std::sync::Arc::new(SqliteStore::open(path)?), Timestamp::now());
/// let student = store.create_student("Grace Hopper", "R1", now)?.id;
/// let marker = Marker::new(store.clone(), AttendancePolicy::in_time_zone("UTC")?);
/// let reasons = vec!["few_views".to_owned()];
/// marker.second_look(student, Similarity::new(0.8), Some("Gate"), SecondLookVerdict::Undecided, reasons, now)?;
/// assert_eq!(store.open_second_looks()?, 1);
///
/// let open = store.second_looks(&SecondLookFilter::open(), Page::ALL)?.items.remove(0);
/// let yes = SecondLookDecision::new(SecondLookAnswer::Confirm, "Ms Rao", now);
/// let decided = store.decide_second_look(open.id, &yes)?;
/// assert_eq!(decided.marking.expect("a mark").record().timestamp, open.sighting.at);
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "sqlite"))]
/// # fn main() {}
/// ```
pub trait SecondLooks: Send + Sync {
    /// Puts a sighting on the list, or says why it need not be there: the student is marked in that day and period, or
    /// an entry with this verdict is open for them. An entry that was refused does not stand in the way: the student
    /// may come after the friend with the photograph.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound) for an unknown student;
    /// [`Error::InvalidInput`](crate::Error::InvalidInput) for a text beyond its [limit](super::limits) or a reason
    /// that is no code of letters, digits and underscores.
    fn add_second_look(&self, new: &NewSecondLook) -> Result<SecondLooking>;

    /// Returns a page of the list, newest sighting first, and how many entries pass the filter in all.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn second_looks(&self, filter: &SecondLookFilter, page: Page) -> Result<Listed<SecondLook>>;

    /// Returns the entry with this id.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn second_look(&self, id: i64) -> Result<Option<SecondLook>>;

    /// Counts the entries that wait for a decision, by an index of them alone.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn open_second_looks(&self) -> Result<u64>;

    /// Decides an open entry: closes it with who and when, and where it is confirmed, marks the student at the time of
    /// the sighting. Both are one transaction.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound) for an unknown entry; [`Error::State`](crate::Error::State) for one
    /// that is not open any more; [`Error::InvalidInput`](crate::Error::InvalidInput) for a decision that names
    /// nobody, or a name beyond its [limit](super::limits). Nothing has changed then.
    fn decide_second_look(&self, id: i64, decision: &SecondLookDecision) -> Result<DecidedSecondLook>;
}
