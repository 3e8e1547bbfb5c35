//! Marks and logs that wait for the database: a thread writes them once it is back, and tells of the marks.

use std::sync::Arc;
use std::time::Duration;

use faceattend_core::Result;
use faceattend_core::attendance::Marking;
use faceattend_core::backlog::Backlog;
use faceattend_core::store::{DeferredOutcome, SecondLooking};
use jiff::Timestamp;

use super::background::BackgroundThreads;
use crate::live::events::{Events, LiveEvent};

/// How often the database is tried while something waits.
const ROUND: Duration = Duration::from_secs(1);

/// Starts the thread.
pub(super) fn start(backlog: Arc<Backlog>, events: Events, threads: &BackgroundThreads) -> Result<()> {
    let (ends, work) = (threads.clone(), move |ends: &BackgroundThreads| {
        loop {
            write(&backlog, &events);
            if !ends.wait(ROUND) {
                return;
            }
        }
    });
    threads.thread("waiting-writes", move || work(&ends))
}

/// Writes what waits, as far as the database takes it, and tells of it. Blocks as long as a write does.
pub(super) fn write(backlog: &Backlog, events: &Events) {
    for outcome in backlog.write_waiting(Timestamp::now()) {
        match outcome {
            DeferredOutcome::Marking(Marking::Marked(record)) => {
                tracing::info!(student = %record.student, seen = %record.timestamp, "attendance marked, after a wait");
                events.publish(LiveEvent::marked(&record));
            }
            DeferredOutcome::SecondLook(SecondLooking::Added(look)) => events.publish(LiveEvent::second_look(&look)),
            _ => {}
        }
    }
}
