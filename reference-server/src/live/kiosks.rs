//! Kiosks at work: each has a watch of its own, as any camera, and remembers whom it greets for as long as they stand
//! there.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use faceattend_core::attendance::Marking;
use faceattend_core::camera::Nature;
use faceattend_core::frame::Frame;
use faceattend_core::gate::LifeVerdict;
use faceattend_core::kiosk::{Advice, Desk, Greeting, GreetingKind, TAKE_BACK_WITHIN, TakenBack, advice};
use faceattend_core::recognition::Direction;
use faceattend_core::store::{Kiosk, SecondLooking};
use faceattend_core::tracking::TrackId;
use faceattend_core::types::StudentId;
use faceattend_core::{Error, Result};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::events::LiveEvent;
use super::watch::{Sight, Watch, Watcher};

/// How long a kiosk may send nothing before its watch ends.
const IDLE: SignedDuration = SignedDuration::from_mins(10);
/// How long a person may be out of view and is not greeted anew: a step aside.
const STEP_ASIDE: SignedDuration = SignedDuration::from_secs(10);
/// How many tracks on the second-look list are remembered.
const HANDED_OVER: usize = 32;

/// The kiosks that send pictures here.
pub(crate) struct Kiosks {
    watcher: Watcher,
    desk: Desk,
    working: Mutex<BTreeMap<i64, Arc<Working>>>,
}

/// One kiosk with the settings of a moment.
struct Working {
    changed_at: Timestamp,
    /// Whether it marks the living alone.
    asks_for_life: bool,
    at_work: Mutex<AtWork>,
}

struct AtWork {
    watch: Watch,
    heard_at: Timestamp,
    /// The faces for whom a person has to look.
    handed_over: Vec<TrackId>,
    given: Vec<Given>,
}

/// A greeting that was given, and may be taken back.
#[derive(Debug, Clone)]
pub(crate) struct Given {
    /// Its key for the tablet: a random one.
    pub(crate) id: String,
    pub(crate) greeting: Greeting,
    /// Whether the face is known to be alive, or need not be: a photograph learns no name.
    pub(crate) is_named: bool,
    /// The face that is greeted; none where somebody was marked without one.
    track: Option<TrackId>,
    /// When its person was in view last.
    last_at: Timestamp,
}

/// What a picture of a kiosk showed.
pub(crate) struct KioskSight {
    pub(crate) faces: usize,
    /// Who is greeted, as long as they are in view.
    pub(crate) greetings: Vec<Given>,
    /// What the nearest person can do to be marked.
    pub(crate) advice: Option<Advice>,
}

impl Kiosks {
    pub(super) fn new(watcher: Watcher) -> Self {
        let desk = Desk::new(Arc::clone(&watcher.marker), Arc::clone(&watcher.store));
        Self { watcher, desk, working: Mutex::default() }
    }

    /// Takes a picture of a kiosk in. Blocks.
    ///
    /// # Errors
    /// Those of recognition.
    pub(crate) fn see(&self, kiosk: &Kiosk, direction: Direction, frame: &Frame<'_>) -> Result<KioskSight> {
        let now = frame.captured_at().unwrap_or_else(Timestamp::now);
        let working = self.working(kiosk, now);
        let mut at_work = working.at_work.lock().unwrap_or_else(PoisonError::into_inner);
        at_work.heard_at = now;
        at_work.watch.set_direction(direction);
        let sight = at_work.watch.see(frame)?;
        Ok(at_work.told(&sight, &self.desk, working.asks_for_life, now))
    }

    /// Takes back what a greeting told: somebody says that they are not that student. Blocks.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a greeting that this server did not give, or that is over; those of [`Desk::not_me`].
    pub(crate) fn not_me(&self, kiosk: &Kiosk, greeting: &str, now: Timestamp) -> Result<(Greeting, TakenBack)> {
        let working = self.working(kiosk, now);
        let mut at_work = working.at_work.lock().unwrap_or_else(PoisonError::into_inner);
        let at = at_work.given.iter().position(|given| given.id == greeting);
        let given = at.map(|at| at_work.given[at].clone()).ok_or(Error::NotFound { what: "greeting" })?;
        // Who stays in view is greeted as long: the last moment counts.
        let taken = self.desk.not_me(&given.greeting, given.last_at, now)?;
        at_work.given.retain(|other| other.id != given.id);
        at_work.watch.pass_over(given.greeting.student, now);
        // Whoever stays is told to ask a person.
        at_work.handed_over.extend(given.track);
        if let TakenBack::Mark(looking) = &taken
            && let SecondLooking::Added(look) = &**looking
        {
            self.watcher.events.publish(LiveEvent::second_look(look));
        }
        Ok((given.greeting, taken))
    }

    /// Marks a student at a kiosk for whom a person vouches, without a face. Blocks.
    ///
    /// # Errors
    /// Those of [`Desk::vouch`].
    pub(crate) fn vouch(
        &self,
        kiosk: &Kiosk,
        student: StudentId,
        told: (&str, &str),
        direction: Direction,
        now: Timestamp,
    ) -> Result<(Given, Marking)> {
        let marking = self.desk.vouch(student, Some(place_of(kiosk)), told, direction, now)?;
        if let Marking::Marked(record) = &marking {
            self.watcher.events.publish(LiveEvent::marked(record));
        }
        let working = self.working(kiosk, now);
        let mut at_work = working.at_work.lock().unwrap_or_else(PoisonError::into_inner);
        Ok((at_work.give(self.desk.greet(&marking, now), None, true, now), marking))
    }

    /// Ends the watch of a kiosk that is removed, revoked or changed, and hands over who waits before it.
    pub(crate) fn end(&self, kiosk: i64) {
        let ended = self.working.lock().unwrap_or_else(PoisonError::into_inner).remove(&kiosk);
        drop(ended);
    }

    fn working(&self, kiosk: &Kiosk, now: Timestamp) -> Arc<Working> {
        let mut all = self.working.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever is at work is heard of right now.
        all.retain(|_, working| {
            let at_work = working.at_work.try_lock();
            at_work.map_or(true, |at_work| now.duration_since(at_work.heard_at).abs() < IDLE)
        });
        if let Some(working) = all.get(&kiosk.id).filter(|working| working.changed_at == kiosk.changed_at) {
            return Arc::clone(working);
        }
        let (settings, place) = (&kiosk.settings, place_of(kiosk));
        let watch = self.watcher.watching_kiosk(&settings.name, place, settings.gate);
        let policy = self.watcher.gate.with(Nature::Live, Some(place), settings.gate).policy;
        let working = Arc::new(Working {
            changed_at: kiosk.changed_at,
            asks_for_life: policy.marks_the_living_alone(),
            at_work: Mutex::new(AtWork { watch, heard_at: now, handed_over: Vec::new(), given: Vec::new() }),
        });
        all.insert(kiosk.id, Arc::clone(&working));
        working
    }
}

/// Returns the place of the marks of a kiosk: its own name where it has no other.
fn place_of(kiosk: &Kiosk) -> &str {
    let place = kiosk.settings.location.as_deref().filter(|place| !place.trim().is_empty());
    place.unwrap_or(&kiosk.settings.name)
}

impl AtWork {
    /// Returns what the tablet is told of a picture.
    fn told(&mut self, sight: &Sight, desk: &Desk, asks_for_life: bool, now: Timestamp) -> KioskSight {
        let report = &sight.report;
        self.handed_over.extend(report.second_looks.iter().map(|sighting| sighting.track));
        let beyond = self.handed_over.len().saturating_sub(HANDED_OVER);
        self.handed_over.drain(..beyond);
        let mut greetings = Vec::new();
        for marking in &report.marks {
            let student = marking.record().student;
            let mut faces = report.faces.iter().filter(|face| face.student() == Some(student));
            let is_alive = faces.clone().any(|face| face.life.verdict == LifeVerdict::Live);
            // Somebody who was looked at is greeted; a row alone greets nobody.
            if let Some(face) = faces.next() {
                let is_named = is_alive || !asks_for_life;
                greetings.push(self.give(desk.greet(marking, now), Some(face.track), is_named, now));
            }
        }
        let advice = advice(report, |track| self.handed_over.contains(&track));
        KioskSight { faces: report.faces.len(), greetings, advice }
    }

    /// Returns the greeting with its key: the same for as long as the person stays, so that an answer that was lost is
    /// made up for by the next one, and nobody is greeted twice.
    fn give(&mut self, greeting: Greeting, track: Option<TrackId>, is_named: bool, now: Timestamp) -> Given {
        let is_over = |given: &Given| {
            let over = now.duration_since(given.last_at).abs();
            over > STEP_ASIDE.max(TAKE_BACK_WITHIN)
        };
        self.given.retain(|given| !is_over(given));
        let same = |given: &&mut Given| {
            let stays = now.duration_since(given.last_at).abs() <= STEP_ASIDE;
            let (was, is) = (given.greeting.kind, greeting.kind);
            given.greeting.attendance == greeting.attendance && stays && (was == is || is == GreetingKind::Already)
        };
        if let Some(given) = self.given.iter_mut().find(same) {
            given.last_at = now;
            given.track = track.or(given.track);
            given.is_named |= is_named;
            return given.clone();
        }
        let given = Given { id: Uuid::new_v4().to_string(), greeting, is_named, track, last_at: now };
        self.given.push(given.clone());
        given
    }
}
