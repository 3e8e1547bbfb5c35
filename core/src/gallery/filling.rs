//! The matrix of everybody at once: whoever reads a store hands the people over, and other threads encode them, a
//! segment at a time. No more people wait than the threads have in hand.

use std::collections::hash_map::Entry;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Scope, ScopedJoinHandle, scope};

use super::search::{MOST_THREADS, cores};
use super::segments::{Known, SEGMENT_ROWS, Segment, Writer, mean};
use crate::embedding::Embedding;
use crate::error::Result;
use crate::types::StudentId;

/// A person, and the views that are known of them.
type Person = (StudentId, Vec<Embedding>);

/// A segment of people, by its place.
struct Batch {
    place: usize,
    people: Vec<Person>,
}

/// The same, encoded, with the length of each person's sum of views.
struct Encoded {
    place: usize,
    segment: Segment,
    lengths: Vec<f64>,
}

impl Batch {
    fn encode(self) -> Encoded {
        let mut segment = Segment::default();
        let mut lengths = Vec::with_capacity(self.people.len());
        if let Some(view) = self.people.first().and_then(|(_, views)| views.first()) {
            segment.reserve(self.people.len(), view.values().len());
        }
        for (student, views) in &self.people {
            let (row, length) = mean(None, views);
            segment.push(*student, &row);
            lengths.push(length);
        }
        Encoded { place: self.place, segment, lengths }
    }
}

/// Takes people in, each with one view or more.
pub(super) struct Filling<'scope, 'env> {
    scope: &'scope Scope<'scope, 'env>,
    /// Who is in the matrix or about to be; their lengths are known at the end.
    known: std::collections::HashMap<StudentId, Known>,
    waiting: Vec<Person>,
    batches: usize,
    encoders: Option<Encoders<'scope>>,
    encoded: Vec<Encoded>,
    /// Views of somebody who came before.
    later: Vec<Person>,
}

struct Encoders<'scope> {
    work: SyncSender<Batch>,
    threads: Vec<ScopedJoinHandle<'scope, Vec<Encoded>>>,
}

/// Returns the matrix of the people whom `feed` hands over.
pub(super) fn filled(feed: impl FnOnce(&mut Filling<'_, '_>) -> Result<()>) -> Result<Writer> {
    scope(|scope| {
        let mut filling = Filling {
            scope,
            known: std::collections::HashMap::new(),
            waiting: Vec::new(),
            batches: 0,
            encoders: None,
            encoded: Vec::new(),
            later: Vec::new(),
        };
        feed(&mut filling)?;
        Ok(filling.finish())
    })
}

impl Filling<'_, '_> {
    /// Takes a person in.
    pub(super) fn add(&mut self, student: StudentId, views: Vec<Embedding>) {
        if views.is_empty() {
            return;
        }
        let row = self.batches * SEGMENT_ROWS + self.waiting.len();
        match self.known.entry(student) {
            Entry::Occupied(_) => return self.later.push((student, views)),
            Entry::Vacant(place) => place.insert(Known { row, views: views.len(), length: 0.0 }),
        };
        self.waiting.push((student, views));
        if self.waiting.len() == SEGMENT_ROWS {
            let people = std::mem::replace(&mut self.waiting, Vec::with_capacity(SEGMENT_ROWS));
            self.hand_over(people);
        }
    }

    fn hand_over(&mut self, people: Vec<Person>) {
        let batch = Batch { place: self.batches, people };
        self.batches += 1;
        // The first segment is all that most galleries have: no thread is worth its start.
        if batch.place > 0 && self.encoders.is_none() {
            self.encoders = Encoders::start(self.scope);
        }
        let left = match &self.encoders {
            // Only threads that panicked take nothing; their panic is passed on at the end.
            Some(encoders) => encoders.work.send(batch).err().map(|refused| refused.0),
            None => Some(batch),
        };
        self.encoded.extend(left.map(Batch::encode));
    }

    fn finish(mut self) -> Writer {
        let people = std::mem::take(&mut self.waiting);
        if !people.is_empty() {
            self.encoded.push(Batch { place: self.batches, people }.encode());
        }
        if let Some(Encoders { work, threads }) = self.encoders {
            drop(work);
            for thread in threads {
                match thread.join() {
                    Ok(encoded) => self.encoded.extend(encoded),
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
        }
        self.encoded.sort_unstable_by_key(|encoded| encoded.place);
        let mut writer = Writer { segments: Vec::with_capacity(self.encoded.len()), known: self.known };
        for Encoded { segment, lengths, .. } in self.encoded {
            for (student, length) in segment.owners.iter().zip(lengths) {
                if let Some(known) = writer.known.get_mut(student) {
                    known.length = length;
                }
            }
            writer.segments.push(Arc::new(segment));
        }
        for (student, views) in self.later {
            writer.insert(student, &views);
        }
        writer
    }
}

impl<'scope> Encoders<'scope> {
    /// Starts a thread for each core but the one that reads; `None` where there is no other.
    fn start(scope: &'scope Scope<'scope, '_>) -> Option<Self> {
        let count = cores().saturating_sub(1).min(MOST_THREADS);
        if count == 0 {
            return None;
        }
        let (work, taken) = sync_channel(count);
        let taken = Arc::new(Mutex::new(taken));
        let threads = (0..count)
            .map(|_| {
                let taken = Arc::clone(&taken);
                scope.spawn(move || std::iter::from_fn(|| next(&taken)).map(Batch::encode).collect())
            })
            .collect();
        Some(Self { work, threads })
    }
}

fn next(taken: &Mutex<Receiver<Batch>>) -> Option<Batch> {
    taken.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
}
