//! The timetable of each student, as a marker knows it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use super::{AttendancePolicy, DayTimetable, Timetables};
use crate::error::Result;
use crate::store::{MembershipFilter, Store};
use crate::types::StudentId;

/// How long what was read is believed, where no notice says that it is another: a server on another database file hears
/// none. Two queries a minute cost nothing.
const BELIEVED_FOR: SignedDuration = SignedDuration::from_secs(60);

/// The timetables of a day.
#[derive(Debug)]
pub(super) struct OfDay {
    day: Date,
    timetables: Timetables,
    /// Who is in which groups, in the order of their keys; empty where no group has a timetable.
    groups: HashMap<StudentId, Vec<i64>>,
}

impl OfDay {
    /// Reads the timetables, and who is in which group where that matters.
    fn read(store: &dyn Store, policy: &AttendancePolicy, day: Date) -> Result<Self> {
        let timetables = Timetables::new(store.timetables()?, policy);
        let mut groups: HashMap<StudentId, Vec<i64>> = HashMap::new();
        if timetables.has_groups() {
            for membership in store.memberships(&MembershipFilter { on: Some(day), ..MembershipFilter::default() })? {
                groups.entry(membership.student).or_default().push(membership.group);
            }
            groups.values_mut().for_each(|groups| groups.sort_unstable());
        }
        Ok(Self { day, timetables, groups })
    }

    /// Returns the timetable of a student.
    pub(super) fn of(&self, student: StudentId) -> &DayTimetable {
        let groups = self.groups.get(&student).map_or(&[][..], Vec::as_slice);
        self.timetables.on(groups.iter().copied(), self.day)
    }
}

/// What was read last, and when.
#[derive(Debug, Default)]
pub(super) struct OwnTimetables(Mutex<Option<(Timestamp, Arc<OfDay>)>>);

impl OwnTimetables {
    /// Returns the timetables of a day, which are read again when those that are there are old, and `may_ask`.
    ///
    /// A database that does not answer costs no mark: what was read before goes on, else the policy's own periods.
    pub(super) fn on(
        &self,
        store: &dyn Store,
        policy: &AttendancePolicy,
        day: Date,
        now: Timestamp,
        may_ask: bool,
    ) -> Arc<OfDay> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = known.as_mut().filter(|(_, known)| known.day == day);
        if let Some((asked_at, known)) = before {
            // A clock that was set back makes an answer from the future.
            let is_fresh = *asked_at <= now && now.duration_since(*asked_at) < BELIEVED_FOR;
            if is_fresh || !may_ask {
                return Arc::clone(known);
            }
            // The others go on with it meanwhile.
            *asked_at = now;
        }
        let before = before.map(|(_, known)| Arc::clone(known));
        drop(known);
        let read = match OfDay::read(store, policy, day) {
            Ok(read) => Arc::new(read),
            Err(error) => {
                tracing::warn!("the timetables cannot be read, so marks go on with those of before: {error}");
                let none = || OfDay { day, timetables: Timetables::new(Vec::new(), policy), groups: HashMap::new() };
                return before.unwrap_or_else(|| Arc::new(none()));
            }
        };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, Arc::clone(&read)));
        read
    }

    /// Forgets what was read.
    pub(super) fn forget(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}
