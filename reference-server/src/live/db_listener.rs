//! Hears what others do in the database: the existing service, the command line, other servers.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use faceattend_core::Result;
use faceattend_core::attendance::Marker;
use faceattend_core::store::{Follower, Notice, Store};
use faceattend_core::types::StudentId;

use super::background::BackgroundThreads;
use super::camera_leases::CameraLeases;
use super::event_relay;
use super::gallery_start::GalleryStart;
use super::gallery_sync::GallerySync;
use super::kept::KeptList;
use crate::live::events::{Events, LiveEvent};

/// How long the thread listens before it looks whether it is to end.
const LISTEN: Duration = Duration::from_millis(500);

/// What is told of a notice.
pub(super) struct DbListener {
    pub(super) gallery_sync: Arc<GallerySync>,
    pub(super) gallery_start: GalleryStart,
    pub(super) store: Arc<dyn Store>,
    pub(super) marker: Arc<Marker>,
    pub(super) events: Events,
    pub(super) leases: Option<Arc<CameraLeases>>,
    pub(super) kept: Arc<KeptList>,
}

/// What was heard and not read yet: the database may be away.
#[derive(Default)]
struct Behind {
    everything: bool,
    students: BTreeSet<StudentId>,
    marks: Vec<i64>,
    failing: bool,
}

impl DbListener {
    /// Starts the thread, which ends with the others.
    pub(super) fn start(self, mut follower: Box<dyn Follower>, background: &BackgroundThreads) -> Result<()> {
        let held = background.clone();
        background.thread("database-follower", move || {
            let mut behind = Behind::default();
            while !held.is_cut() {
                for notice in follower.next(LISTEN) {
                    self.take(notice, &mut behind);
                }
                // What is read while the gallery is loaded would wait for it, and other notices with it.
                if self.gallery_start.is_whole() {
                    self.catch_up(&mut behind);
                }
            }
        })
    }

    fn take(&self, notice: Notice, behind: &mut Behind) {
        match notice {
            Notice::Templates(student) => {
                behind.students.insert(student);
            }
            Notice::Marked(attendance) => behind.marks.push(attendance),
            Notice::AttendanceChanged => {
                self.marker.forget();
                self.events.repeat(LiveEvent::statuses_changed());
            }
            Notice::RosterChanged => {
                self.marker.forget_rosters();
                self.events.repeat(LiveEvent::statuses_changed());
            }
            Notice::CamerasChanged => self.cameras_changed(),
            Notice::Announced(text) => {
                event_relay::heard(&text).into_iter().for_each(|event| self.events.repeat(event));
            }
            Notice::Missed => {
                behind.everything = true;
                self.marker.forget();
                self.events.repeat(LiveEvent::statuses_changed());
                self.cameras_changed();
            }
        }
    }

    fn cameras_changed(&self) {
        if let Some(leases) = &self.leases {
            leases.look_now();
        }
        self.kept.look_now();
    }

    /// Reads what was heard of. What cannot be read now is read at the next turn.
    fn catch_up(&self, behind: &mut Behind) {
        let mut read = || -> Result<()> {
            if behind.everything {
                self.gallery_sync.load()?;
                behind.everything = false;
                behind.students.clear();
            }
            while let Some(student) = behind.students.first().copied() {
                self.gallery_sync.follow(student)?;
                behind.students.remove(&student);
            }
            for attendance in std::mem::take(&mut behind.marks) {
                // An event is news: one that cannot be read now is not told later.
                if let Some(record) = self.store.attendance_record(attendance)? {
                    self.events.repeat(LiveEvent::marked(&record));
                }
            }
            Ok(())
        };
        let done = read();
        if let (Err(error), false) = (&done, behind.failing) {
            tracing::warn!("what has changed in the database could not be read: {error}");
        }
        behind.failing = done.is_err();
    }
}
