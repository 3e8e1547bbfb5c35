//! Sends what is in the outbox: webhooks and letters.
//!
//! A thread looks for channels that have something due, and gives each of them to a thread of its own: a receiver that
//! hangs keeps nobody else waiting. A letter is taken with a lease, so of several servers one sends it, and another
//! takes over what a dead one has left. That a try begins is noted before it begins, and how it ended after it: between
//! the two a process can die, and then the letter goes once more, with its old id.

mod failure;
mod mail;
pub(crate) mod watch;
mod webhook;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use faceattend_core::alerts::BackOff;
use faceattend_core::store::{
    AlertChannel, AlertChannelSettings, AlertSecret, FailedTry, Letter, LetterRecipient, Store,
};
use faceattend_core::{Error, Result};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::background::BackgroundThreads;
use crate::settings::NoticeSettings;
pub(crate) use failure::Failure;
use mail::{Postman, Server};
use webhook::Poster;

/// How often the outbox is looked at.
const ROUND: Duration = Duration::from_secs(1);
/// How many channels send at the same time.
const AT_ONCE: usize = 8;
/// The longest rest of a channel whose other end is away: then the next letter is tried.
const LONGEST_REST: SignedDuration = SignedDuration::from_secs(60);
/// How long a server that ends waits for what is being sent.
const LAST_WORDS: Duration = Duration::from_secs(15);

/// Sends notices, as long as the server lives.
pub(crate) struct Notices {
    store: Arc<dyn Store>,
    back_off: BackOff,
    lease: Duration,
    poster: Poster,
    postman: Postman,
    /// The clocks of the site.
    zone: TimeZone,
    /// This server's name as a sender.
    name: String,
    channels: Mutex<Channels>,
    ends: BackgroundThreads,
    figures: NoticeFigures,
}

/// What was sent since the start.
#[derive(Debug, Default)]
pub(crate) struct NoticeFigures {
    pub(crate) sent: AtomicU64,
    pub(crate) failed_tries: AtomicU64,
    pub(crate) given_up: AtomicU64,
}

#[derive(Default)]
struct Channels {
    at_work: BTreeSet<i64>,
    /// How often a channel has failed in a row, and until when it rests.
    resting: BTreeMap<i64, (u32, Timestamp)>,
}

impl Notices {
    /// Starts the thread.
    pub(super) fn start(
        store: Arc<dyn Store>,
        (settings, zone): (&NoticeSettings, TimeZone),
        threads: &BackgroundThreads,
    ) -> Result<Arc<Self>> {
        let authorities = match &settings.authorities {
            None => None,
            Some(file) => {
                Some(std::fs::read(file).map_err(|source| Error::Io { action: "read", path: file.clone(), source })?)
            }
        };
        let notices = Arc::new(Self {
            store,
            back_off: settings.back_off,
            lease: settings.lease,
            poster: Poster::new(settings.reach.clone(), authorities.as_deref())?,
            postman: Postman::new(settings.reach.clone(), authorities.as_deref())?,
            zone,
            name: uuid::Uuid::new_v4().simple().to_string(),
            channels: Mutex::default(),
            ends: threads.clone(),
            figures: NoticeFigures::default(),
        });
        let sending = Arc::clone(&notices);
        threads.thread("notices", move || {
            let mut failing = false;
            loop {
                match sending.round() {
                    Ok(()) => failing = false,
                    Err(error) if !failing => {
                        tracing::warn!("the outbox cannot be looked at: {error}");
                        failing = true;
                    }
                    Err(_) => {}
                }
                if !sending.ends.wait(ROUND) {
                    return;
                }
            }
        })?;
        Ok(notices)
    }

    /// What was sent since the start.
    pub(crate) fn figures(&self) -> &NoticeFigures {
        &self.figures
    }

    /// Lets each channel that has something due, and does not rest, send it.
    fn round(self: &Arc<Self>) -> Result<()> {
        let now = Timestamp::now();
        for channel in self.store.due_alert_channels(now)? {
            {
                let mut channels = self.channels();
                let rests = channels.resting.get(&channel).is_some_and(|(_, until)| now < *until);
                if rests || channels.at_work.len() >= AT_ONCE || !channels.at_work.insert(channel) {
                    continue;
                }
            }
            let sending = Arc::clone(self);
            let started = self.ends.thread("notices-sender", move || {
                let _done = AtWork { notices: &sending, channel };
                sending.send_all_of(channel);
            });
            if let Err(error) = started {
                self.channels().at_work.remove(&channel);
                return Err(error);
            }
        }
        Ok(())
    }

    /// Sends what is due of a channel, until nothing is, or its other end is away.
    fn send_all_of(&self, channel: i64) {
        while !self.ends.is_cut() {
            let letter = match self.store.take_letter(channel, &self.name, self.lease, Timestamp::now()) {
                Ok(Some(letter)) => letter,
                Ok(None) => return,
                Err(error) => {
                    tracing::warn!(channel, "no notice can be taken to send: {error}");
                    return;
                }
            };
            let goes_on = match self.send(&letter) {
                Ok(()) => {
                    self.figures.sent.fetch_add(1, Relaxed);
                    self.channels().resting.remove(&channel);
                    self.note(|store| store.letter_sent(&letter.id, &self.name, Timestamp::now()));
                    true
                }
                Err(failure) => self.failed(&letter, &failure),
            };
            if !goes_on {
                return;
            }
        }
    }

    /// Notes a try that failed; whether the channel goes on.
    fn failed(&self, letter: &Letter, failure: &Failure) -> bool {
        let now = Timestamp::now();
        let again_at = if failure.for_good { None } else { self.back_off.again_at(letter.tries, rand::random(), now) };
        self.figures.failed_tries.fetch_add(1, Relaxed);
        let (channel, tries, reason) = (letter.channel.id, letter.tries, &failure.reason);
        match again_at {
            Some(_) => tracing::info!(channel, tries, "a notice could not be sent, and is tried again: {reason}"),
            None => {
                self.figures.given_up.fetch_add(1, Relaxed);
                tracing::warn!(channel, tries, "a notice could not be sent, and is given up: {reason}");
            }
        }
        let failed = FailedTry { error: reason.clone(), again_at };
        self.note(|store| store.letter_failed(&letter.id, &self.name, &failed, now));
        if !failure.of_the_channel {
            return true;
        }
        let mut channels = self.channels();
        let (failures, until) = channels.resting.entry(channel).or_insert((0, now));
        *failures = failures.saturating_add(1);
        let rest = BackOff { longest: LONGEST_REST, most_tries: u32::MAX, ..self.back_off };
        *until = rest.again_at(*failures, 0.0, now).unwrap_or(now);
        false
    }

    /// Notes what became of a letter, also when the database is away for a while: what is not noted is sent again.
    fn note(&self, write: impl Fn(&dyn Store) -> Result<()>) {
        let until = Instant::now() + self.lease;
        while let Err(error) = write(&*self.store) {
            if Instant::now() >= until || !self.ends.wait(ROUND) {
                tracing::error!("what became of a notice could not be noted, and it may be sent once more: {error}");
                return;
            }
        }
    }

    fn send(&self, letter: &Letter) -> Result<(), Failure> {
        match &letter.channel.settings {
            AlertChannelSettings::Webhook { url } => {
                let [message] = &letter.messages[..] else {
                    return Err(Failure::for_good("a webhook carries one event"));
                };
                let body = webhook::body(&letter.id, message.event.as_str(), message.happened_at, &message.facts);
                self.poster.post(url, secret_of(&letter.channel)?, &letter.id, &body).map(drop)
            }
            AlertChannelSettings::Email { from, .. } => {
                let LetterRecipient::Person(to) = &letter.recipient else {
                    return Err(Failure::for_good("a letter goes to a person"));
                };
                let written = words::written(&letter.language, &self.zone, &letter.messages).ok_or_else(no_words)?;
                let message = mail::letter(&letter.id, from, to, written)?;
                self.postman.send(&server_of(&letter.channel)?, &message).map(drop)
            }
        }
    }

    /// Sends a message that tells nothing over the channel, and returns what the other end answered.
    ///
    /// # Errors
    /// Why it could not be sent.
    pub(crate) fn test(&self, channel: &AlertChannel, address: Option<&str>) -> Result<String, Failure> {
        let id = uuid::Uuid::new_v4().to_string();
        match &channel.settings {
            AlertChannelSettings::Webhook { url } => {
                let body = webhook::body(&id, "test", Timestamp::now(), &json!({ "channel": channel.name }));
                let answered = self.poster.post(url, secret_of(channel)?, &id, &body)?;
                Ok(format!("{} {}", answered.status, answered.text).trim().to_owned())
            }
            AlertChannelSettings::Email { from, .. } => {
                let written = words::test("en").ok_or_else(no_words)?;
                let to = address.map(str::trim).filter(|address| !address.is_empty());
                let message = mail::letter(&id, from, to.unwrap_or(mail::mailbox_of(from)), written)?;
                self.postman.send(&server_of(channel)?, &message)
            }
        }
    }

    /// Waits for what is being sent, so that it is noted; not for long.
    pub(super) fn finish(&self) {
        let until = Instant::now() + LAST_WORDS;
        while !self.channels().at_work.is_empty() && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn channels(&self) -> MutexGuard<'_, Channels> {
        self.channels.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes a channel out of those at work, however its thread ends.
struct AtWork<'a> {
    notices: &'a Notices,
    channel: i64,
}

impl Drop for AtWork<'_> {
    fn drop(&mut self) {
        self.notices.channels().at_work.remove(&self.channel);
    }
}

fn no_words() -> Failure {
    Failure::for_good("this version has no words for it")
}

/// The mail server of a channel.
fn server_of(channel: &AlertChannel) -> Result<Server<'_>, Failure> {
    let AlertChannelSettings::Email { host, port, security, user, .. } = &channel.settings else {
        return Err(Failure::for_good("it is no mail server"));
    };
    let login = match user {
        Some(user) => Some((user.as_str(), secret_of(channel)?)),
        None => None,
    };
    Ok(Server { host, port: *port, security: *security, login })
}

fn secret_of(channel: &AlertChannel) -> Result<&str, Failure> {
    match &channel.secret {
        AlertSecret::Known(secret) => Ok(secret),
        AlertSecret::None => Ok(""),
        AlertSecret::Locked(reason) => Err(Failure::later(reason.clone())),
    }
}
