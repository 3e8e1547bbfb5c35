//! Guessing passwords, slowed down. Nobody is locked out: after too many failures in a row each try waits a little
//! longer than the one before.
//!
//! | who tries | what counts | how many failures are free |
//! |---|---|---|
//! | a device that has logged in with this name before ([`Device`]) | its own failures | [`FREE`] |
//! | anybody else | the failures with this name from this network, and those from everywhere | [`FREE`], [`FREE_FOR_A_NAME`] |
//!
//! So a flood of guesses delays the owner of a name only on a device that is new to it. The failures are in the
//! database, under hashes: servers that share it share the limits, and a restart forgets nothing.

use std::net::{IpAddr, Ipv6Addr};

use faceattend_core::Result;
use faceattend_core::store::{LoginFailures, Store};
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest as _, Sha256};

use super::{Secret, hex};

/// So many failures are a person who forgot a password; OWASP's Authentication Cheat Sheet leaves the number to the
/// site.
const FREE: u32 = 20;
/// The same for one name from everywhere: with [`LONGEST`] and [`WINDOW`] it leaves under 100 guesses of one name in
/// any hour, as NIST SP 800-63B (5.2.2) and OWASP's ASVS (2.2.1) ask for.
const FREE_FOR_A_NAME: u32 = 30;
/// The same for the PIN of a supervisor, who has few digits to forget: with [`LONGEST`] a guesser of six digits needs
/// a year and more.
const FREE_FOR_A_PIN: u32 = 5;
/// How long failures count after the last one.
const WINDOW: SignedDuration = SignedDuration::from_hours(1);
/// The first wait, which doubles with every failure.
const FIRST: SignedDuration = SignedDuration::from_secs(2);
/// The longest wait: the owner of the name, who was taken for a guesser, bears it.
const LONGEST: SignedDuration = SignedDuration::from_mins(1);

/// A device that has logged in with a name before. Browsers keep it as a cookie; it opens nothing, and only spares its
/// holder the waits that others have earned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Device(String);

impl Device {
    /// Returns a device that `username` has logged in with.
    pub(crate) fn new(secret: &Secret, username: &str) -> Self {
        let id = Secret::random().0[..32].to_owned();
        let mac = Self::mac(secret, username, &id);
        Self(format!("{id}.{mac}"))
    }

    /// Returns the device that a cookie names, if `username` has logged in with it here.
    pub(crate) fn of_cookie(secret: &Secret, username: &str, cookie: &str) -> Option<Self> {
        let (id, mac) = cookie.split_once('.')?;
        // Compared by their hashes: how long that takes tells nothing of the right one.
        let right = Self::mac(secret, username, id);
        (Sha256::digest(mac) == Sha256::digest(right)).then(|| Self(cookie.to_owned()))
    }

    /// Returns the value of the cookie.
    pub(crate) fn cookie(&self) -> &str {
        &self.0
    }

    fn mac(secret: &Secret, username: &str, id: &str) -> String {
        secret.mac(&["faceattend device 1", username, id])
    }
}

/// Whose failures count for a try.
#[derive(Debug)]
pub(crate) struct Guesser {
    /// Keys of failures, and how many of each are free.
    counts: Vec<(String, u32)>,
    /// The key of names that are nobody's, from this network.
    unknown: String,
}

impl Guesser {
    pub(crate) fn new(username: &str, from: Option<IpAddr>, device: Option<&Device>) -> Self {
        let key = |kind: &str, whose: &str| hash(&format!("{kind}\n{whose}\n{username}"));
        let network = from.map(of_one_client).map(|address| address.to_string()).unwrap_or_default();
        let counts = match device {
            Some(device) => vec![(key("device", device.cookie()), FREE)],
            None => {
                vec![(key("network", &network), FREE), (key("name", ""), FREE_FOR_A_NAME)]
            }
        };
        Self { counts, unknown: hash(&format!("unknown\n{network}")) }
    }

    /// Returns the guesser of a code that pairs a kiosk.
    pub(crate) fn of_kiosk_code(from: Option<IpAddr>) -> Self {
        let network = from.map(of_one_client).map(|address| address.to_string()).unwrap_or_default();
        let counts = vec![
            (hash(&format!("kiosk code from\n{network}")), FREE),
            (hash("kiosk code from everywhere"), FREE_FOR_A_NAME),
        ];
        Self { counts, unknown: hash(&format!("unknown kiosk code\n{network}")) }
    }

    /// Returns the guesser of the supervisor's PIN at a kiosk.
    pub(crate) fn of_kiosk_pin(kiosk: i64) -> Self {
        let key = |kind: &str| hash(&format!("{kind}\n{kiosk}"));
        Self { counts: vec![(key("kiosk pin"), FREE_FOR_A_PIN)], unknown: key("unknown kiosk pin") }
    }

    /// Returns in how many seconds the next try is let through; `None` for at once.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) fn wait(&self, store: &dyn Store, now: Timestamp) -> Result<Option<u64>> {
        let mut longest = None;
        for (key, free) in &self.counts {
            let failures = store.login_failures(key, since(now))?;
            longest = longest.max(failures.and_then(|failures| wait_after(failures, *free, now)));
        }
        Ok(longest)
    }

    /// Notes a failure.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) fn failed(&self, store: &dyn Store, now: Timestamp) -> Result<()> {
        self.counts.iter().try_for_each(|(key, _)| store.note_login_failure(key, since(now), now).map(drop))
    }

    /// Notes that the name is nobody's; returns whether that is still worth an entry of the audit log. A network has
    /// [`FREE`] of them: inventing names fills no disk.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) fn named_nobody(&self, store: &dyn Store, now: Timestamp) -> Result<bool> {
        Ok(store.note_login_failure(&self.unknown, since(now), now)?.count <= FREE)
    }

    /// Forgets the failures of the device or network that got it right. Those of the name from everywhere are others'.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) fn passed(&self, store: &dyn Store) -> Result<()> {
        self.counts.iter().take(1).try_for_each(|(key, _)| store.forget_login_failures(key))
    }
}

fn hash(text: &str) -> String {
    hex(&Sha256::digest(text))
}

fn since(now: Timestamp) -> Timestamp {
    now.saturating_sub(WINDOW).unwrap_or(Timestamp::MIN)
}

fn wait_after(failures: LoginFailures, free: u32, now: Timestamp) -> Option<u64> {
    let beyond = failures.count.checked_sub(free)?;
    let wait = FIRST.checked_mul(1_i32.checked_shl(beyond.min(10)).unwrap_or(i32::MAX)).unwrap_or(LONGEST).min(LONGEST);
    // A clock that was set back does not make the wait longer than it can be.
    let passed = now.duration_since(failures.last_at).max(SignedDuration::ZERO);
    let left = wait - passed;
    // A whole second more for a part of one.
    let seconds = left.as_secs() + i64::from(left.subsec_nanos() > 0);
    u64::try_from(seconds).ok().filter(|seconds| *seconds > 0)
}

/// A provider gives a customer 64 bits of IPv6 addresses and more: they count as one.
pub(crate) fn of_one_client(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64)),
    }
}

#[cfg(test)]
mod tests {
    use faceattend_core::store::SqliteStore;

    use super::*;

    fn store() -> (SqliteStore, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        (SqliteStore::open(folder.path().join("a.db")).unwrap(), folder)
    }

    fn at(address: [u8; 4], name: &str) -> Guesser {
        Guesser::new(name, Some(IpAddr::from(address)), None)
    }

    #[test]
    fn tries_wait_longer_and_longer_and_other_names_and_networks_do_not() {
        let (store, _folder) = store();
        let (here, now) = (at([10, 0, 0, 1], "admin"), Timestamp::now());
        for _ in 0..FREE {
            assert_eq!(here.wait(&store, now).unwrap(), None);
            here.failed(&store, now).unwrap();
        }
        assert_eq!(here.wait(&store, now).unwrap(), Some(2));
        assert_eq!(here.wait(&store, now + FIRST).unwrap(), None, "a delay, not a lock");
        let mut waits = Vec::new();
        for _ in 0..8 {
            here.failed(&store, now).unwrap();
            waits.push(here.wait(&store, now).unwrap().unwrap());
        }
        assert_eq!(waits, [4, 8, 16, 32, 60, 60, 60, 60]);
        assert_eq!(at([10, 0, 0, 2], "admin").wait(&store, now).unwrap(), None, "another network is no hostage");
        assert_eq!(at([10, 0, 0, 1], "bob").wait(&store, now).unwrap(), None);
        assert_eq!(here.wait(&store, now + WINDOW + LONGEST).unwrap(), None);
        // A clock that is set back by a day locks nobody out.
        assert_eq!(here.wait(&store, now - SignedDuration::from_hours(24)).unwrap(), Some(60));
        here.passed(&store).unwrap();
        assert_eq!(here.wait(&store, now).unwrap(), None);
    }

    #[test]
    fn guesses_of_one_name_from_everywhere_wait_and_a_known_device_does_not() {
        let (store, _folder) = store();
        let now = Timestamp::now();
        for n in 0..FREE_FOR_A_NAME {
            at([10, 0, 1, u8::try_from(n).unwrap()], "admin").failed(&store, now).unwrap();
        }
        let stranger = at([10, 0, 2, 1], "admin");
        assert!(stranger.wait(&store, now).unwrap().is_some());
        stranger.passed(&store).unwrap();
        assert!(stranger.wait(&store, now).unwrap().is_some(), "whoever passes does not help the guessers");
        let secret = Secret::new("a secret of the tests").unwrap();
        let device = Device::new(&secret, "admin");
        let known = Guesser::new("admin", Some(IpAddr::from([10, 0, 1, 1])), Some(&device));
        assert_eq!(known.wait(&store, now).unwrap(), None);
        for _ in 0..FREE {
            known.failed(&store, now).unwrap();
        }
        assert!(known.wait(&store, now).unwrap().is_some(), "who steals the device guesses no faster");
    }

    #[test]
    fn under_a_hundred_guesses_of_one_name_pass_in_any_hour() {
        let (store, _folder) = store();
        let start = Timestamp::now();
        let (mut passed, mut second) = (Vec::new(), 0);
        // From a new network each time, as soon as a try is let through, for two hours.
        while second < 7200 {
            let now = start + SignedDuration::from_secs(second);
            let n = u32::try_from(passed.len()).unwrap();
            let guesser = Guesser::new("admin", Some(IpAddr::from((0x0a00_0000 + n).to_be_bytes())), None);
            match guesser.wait(&store, now).unwrap() {
                Some(seconds) => second += i64::try_from(seconds).unwrap(),
                None => {
                    guesser.failed(&store, now).unwrap();
                    passed.push(second);
                }
            }
        }
        for from in &passed {
            let within = passed.iter().filter(|at| (*from..*from + 3600).contains(*at)).count();
            assert!(within < 100, "{within} in the hour after {from} s");
        }
    }

    #[test]
    fn codes_and_pins_of_kiosks_are_guessed_slowly() {
        let (store, _folder) = store();
        let now = Timestamp::now();
        let pin = Guesser::of_kiosk_pin(1);
        for _ in 0..FREE_FOR_A_PIN {
            assert_eq!(pin.wait(&store, now).unwrap(), None);
            pin.failed(&store, now).unwrap();
        }
        assert!(pin.wait(&store, now).unwrap().is_some());
        assert_eq!(Guesser::of_kiosk_pin(2).wait(&store, now).unwrap(), None, "another kiosk is no hostage");
        for n in 0..FREE_FOR_A_NAME {
            let from = Some(IpAddr::from([10, 0, 1, u8::try_from(n).unwrap()]));
            Guesser::of_kiosk_code(from).failed(&store, now).unwrap();
        }
        let stranger = Guesser::of_kiosk_code(Some(IpAddr::from([10, 0, 2, 1])));
        assert!(stranger.wait(&store, now).unwrap().is_some(), "codes are guessed from everywhere");
    }

    #[test]
    fn a_device_is_of_one_name_and_one_server() {
        let secret = Secret::new("a secret of the tests").unwrap();
        let device = Device::new(&secret, "admin");
        let read = |secret: &Secret, name: &str, cookie: &str| Device::of_cookie(secret, name, cookie);
        assert_eq!(read(&secret, "admin", device.cookie()), Some(device.clone()));
        assert_eq!(read(&secret, "bob", device.cookie()), None);
        assert_eq!(read(&Secret::new("another secret of tests").unwrap(), "admin", device.cookie()), None);
        for forged in ["", "x", ".", "x.y", &device.cookie()[1..]] {
            assert_eq!(read(&secret, "admin", forged), None, "{forged}");
        }
        assert_ne!(Device::new(&secret, "admin"), device);
    }

    #[test]
    fn servers_on_one_database_share_the_limits_and_a_restart_forgets_nothing() {
        let (one, folder) = store();
        let now = Timestamp::now();
        for _ in 0..FREE {
            at([10, 0, 0, 1], "admin").failed(&one, now).unwrap();
        }
        drop(one);
        let two = SqliteStore::open(folder.path().join("a.db")).unwrap();
        assert!(at([10, 0, 0, 1], "admin").wait(&two, now).unwrap().is_some());
    }

    #[test]
    fn what_somebody_typed_is_not_kept() {
        let guesser = Guesser::new("my-password-by-mistake", None, None);
        assert!(guesser.counts.iter().all(|(key, _)| key.len() == 64 && !key.contains("password")));
    }
}
