//! The kiosks, and what the people before them do.

use jiff::Timestamp;

use super::{
    AttendanceRecord, Kiosk, KioskChange, Marking, NewAttendance, NewKiosk, NewSecondLook, OpenCode, SecondLooking,
    SecretHash, Student,
};
use crate::error::Result;

/// The kiosks. Codes and tokens are looked for by their hashes, so that the time of a lookup tells nothing of the right
/// one.
///
/// ```
/// # #[cfg(feature = "sqlite")]
/// # fn main() -> faceattend_core::Result<()> {
/// use faceattend_core::Timestamp;
/// use faceattend_core::kiosk::PairingCode;
/// use faceattend_core::store::{KioskSettings, NewKiosk, SecretHash, SqliteStore, prelude::*};
/// # let folder = tempfile::tempdir().expect("a folder");
/// # let path = folder.path().join("people.db");
/// let (store, now) = (SqliteStore::open(path)?, Timestamp::now());
/// let code = PairingCode::random();
/// let new = NewKiosk {
///     settings: KioskSettings::named("Main gate"),
///     pin: None,
///     code: code.open_at(now),
///     by: "Ms Rao".into(),
///     at: now,
/// };
/// let kiosk = store.create_kiosk(&new)?;
/// let token = SecretHash::new("the hash of 256 random bits");
/// let paired = store.pair_kiosk(&code.hash(), &token, now)?.expect("the code is good");
/// assert_eq!((paired.id, store.kiosk_of_token(&token)?), (kiosk.id, Some(paired)));
/// assert_eq!(store.pair_kiosk(&code.hash(), &token, now)?, None, "a code is good once");
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "sqlite"))]
/// # fn main() {}
/// ```
pub trait Kiosks: Send + Sync {
    /// Adds a kiosk that waits for its tablet.
    ///
    /// # Errors
    /// [`Error::Conflict`](crate::Error::Conflict) when the name is another's;
    /// [`Error::InvalidInput`](crate::Error::InvalidInput) for a blank name, for a text beyond its
    /// [limit](super::limits), and for one kiosk more than [`limits::KIOSKS`](super::limits::KIOSKS).
    fn create_kiosk(&self, new: &NewKiosk) -> Result<Kiosk>;

    /// Returns every kiosk, ordered by name.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn kiosks(&self) -> Result<Vec<Kiosk>>;

    /// Returns the kiosk with this id.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn kiosk(&self, id: i64) -> Result<Option<Kiosk>>;

    /// Changes a kiosk. Its tablet stays paired.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound), and as [`create_kiosk`](Self::create_kiosk).
    fn change_kiosk(&self, id: i64, change: &KioskChange) -> Result<Kiosk>;

    /// Opens another code for a kiosk; the one before is good no longer. The tablet that is paired stays so until
    /// another one uses the code.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound).
    fn open_kiosk_code(&self, id: i64, code: &OpenCode) -> Result<Kiosk>;

    /// Pairs a tablet: the kiosk whose code is open has this token from now on, and the code is used up. `None` for a
    /// code that no kiosk has, or whose time is over.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn pair_kiosk(&self, code: &SecretHash, token: &SecretHash, now: Timestamp) -> Result<Option<Kiosk>>;

    /// Returns the kiosk that has this token.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn kiosk_of_token(&self, token: &SecretHash) -> Result<Option<Kiosk>>;

    /// Notes that the tablet of a kiosk was heard of. Does nothing where there is no such kiosk.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn note_kiosk_seen(&self, id: i64, now: Timestamp) -> Result<()>;

    /// Takes the token and the open code from a kiosk: no tablet is paired any more. Its settings stay.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound).
    fn revoke_kiosk(&self, id: i64) -> Result<Kiosk>;

    /// Removes a kiosk, and returns what it was.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound).
    fn remove_kiosk(&self, id: i64) -> Result<Kiosk>;

    /// Deletes the mark of somebody who says that they are not that student, and puts the sighting on the second-look
    /// list, in one transaction.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound) when the mark is gone, or another student's;
    /// [`Error::InvalidInput`](crate::Error::InvalidInput) as
    /// [`add_second_look`](super::SecondLooks::add_second_look).
    fn take_back_mark(&self, attendance: i64, look: &NewSecondLook) -> Result<SecondLooking>;

    /// Takes back that the student of a row was seen leaving at `at`; returns the row. A later time stays.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound).
    fn take_back_check_out(&self, attendance: i64, at: Timestamp) -> Result<AttendanceRecord>;

    /// Returns the student with this roll number, in any spelling that makes it one; `None` for nobody's, and for one
    /// that several old records share.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn student_by_roll_number(&self, roll_number: &str) -> Result<Option<Student>>;

    /// Marks a student for whom a person vouches, and keeps with the mark who that was and why, in one transaction. A
    /// student who is marked already stays as marked.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound) for an unknown student;
    /// [`Error::InvalidInput`](crate::Error::InvalidInput) for a text beyond its [limit](super::limits).
    fn mark_vouched(&self, new: &NewAttendance, by: &str, reason: &str) -> Result<Marking>;
}
