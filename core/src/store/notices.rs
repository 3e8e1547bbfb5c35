//! Notices of changes: what a database tells every program that works on it.
//!
//! A notice is a short text. What changes rows leaves one in the same transaction: whoever hears it finds the change,
//! and a change that was rolled back is never heard of. It names keys of rows only, except where a server announces an
//! event of its own.

use std::collections::HashMap;
use std::time::Duration;

use crate::types::StudentId;

/// The longest part of an announcement, in bytes: PostgreSQL takes notices of less than 8,000.
#[cfg(any(feature = "postgres", test))]
const LONGEST_PART: usize = 7_000;

/// Something that happened in the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// The templates of a student are others, or gone: read them again. Told to whoever changed them as well, and of
    /// every writer, also the existing service.
    Templates(StudentId),
    /// The attendance row with this key was made through another [`Store`](super::Store).
    Marked(i64),
    /// Attendance rows were deleted or corrected: what was remembered of them is no longer true.
    AttendanceChanged,
    /// Groups, memberships, timetables or the calendar are others: what was remembered of them is no longer true.
    RosterChanged,
    /// Other cameras are to be watched than before, or a server has let go of some.
    CamerasChanged,
    /// What another [`Store`](super::Store) announced, word for word.
    Announced(String),
    /// Anything may have happened meanwhile: read everything again.
    Missed,
}

/// Receives the notices of a database from the moment it is created.
///
/// It has two implementations, as the stores do; what is lost while a database is away comes back as
/// [`Notice::Missed`], so there is no error to handle.
pub trait Follower: Send {
    /// Waits `within` this time and returns the next notices, in the order of their transactions. Blocks.
    fn next(&mut self, within: Duration) -> Vec<Notice>;
}

/// The notices as text, and how a store's own are told from others'.
pub(super) mod text {
    pub(in super::super) const ATTENDANCE: &str = "attendance";
    pub(in super::super) const ROSTER: &str = "roster";
    pub(in super::super) const CAMERAS: &str = "cameras";

    pub(in super::super) fn marked(origin: &str, attendance: i64) -> String {
        format!("marked {origin} {attendance}")
    }

    /// Splits an announcement into parts that a notice can hold. They belong into one transaction.
    #[cfg(any(feature = "postgres", test))]
    pub(in super::super) fn announced(origin: &str, text: &str) -> Vec<String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while rest.len() > super::LONGEST_PART {
            let (part, after) = rest.split_at(rest.floor_char_boundary(super::LONGEST_PART));
            parts.push(part);
            rest = after;
        }
        parts.push(rest);
        let all = parts.len();
        (1..).zip(parts).map(|(number, part)| format!("announced {origin} {number}/{all} {part}")).collect()
    }
}

/// Reads notices for the store that is called `own`.
pub(super) struct Hearing {
    own: String,
    /// What has come of announcements that are not complete, by origin: a transaction's parts come one after the other.
    parts: HashMap<String, String>,
}

impl Hearing {
    pub(super) fn new(own: String) -> Self {
        Self { own, parts: HashMap::new() }
    }

    /// What `body` tells; `None` for what is not for this store, not complete, or of a newer version.
    pub(super) fn hear(&mut self, body: &str) -> Option<Notice> {
        let (kind, rest) = body.split_once(' ').unwrap_or((body, ""));
        match kind {
            "templates" => rest.parse().ok().map(|id| Notice::Templates(StudentId(id))),
            "attendance" => Some(Notice::AttendanceChanged),
            "roster" => Some(Notice::RosterChanged),
            "cameras" => Some(Notice::CamerasChanged),
            "marked" => {
                let (origin, id) = rest.split_once(' ')?;
                if origin == self.own { None } else { id.parse().ok().map(Notice::Marked) }
            }
            "announced" => {
                let (origin, rest) = rest.split_once(' ')?;
                let (place, part) = rest.split_once(' ')?;
                if origin == self.own { None } else { self.part(origin, place, part) }
            }
            _ => None,
        }
    }

    fn part(&mut self, origin: &str, place: &str, part: &str) -> Option<Notice> {
        if place == "1/1" {
            return Some(Notice::Announced(part.to_owned()));
        }
        let (number, all) = place.split_once('/')?;
        if number == "1" {
            self.parts.insert(origin.to_owned(), String::new());
        }
        // Whoever began to listen in the middle has no beginning.
        let so_far = self.parts.get_mut(origin)?;
        so_far.push_str(part);
        if number == all { self.parts.remove(origin).map(Notice::Announced) } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hear_all(hearing: &mut Hearing, bodies: &[String]) -> Vec<Notice> {
        bodies.iter().filter_map(|body| hearing.hear(body)).collect()
    }

    #[test]
    fn a_long_announcement_fits_postgresql_and_comes_out_whole() {
        let long = "Zoë 学生 ".repeat(3_000);
        let bodies = text::announced("a", &long);
        assert!(bodies.len() > 4 && bodies.iter().all(|body| body.len() < 8_000));
        let mut hearing = Hearing::new("b".into());
        assert_eq!(hear_all(&mut hearing, &bodies[1..]), [], "without its beginning it is not told");
        assert_eq!(hear_all(&mut hearing, &bodies), [Notice::Announced(long)]);
        assert_eq!(hear_all(&mut hearing, &text::announced("a", "")), [Notice::Announced(String::new())]);
    }

    #[test]
    fn a_store_does_not_hear_itself_but_for_what_it_has_to_read_again() {
        let mut hearing = Hearing::new("a".into());
        assert_eq!(hearing.hear(&text::marked("a", 7)), None);
        assert_eq!(hearing.hear(&text::marked("b", 7)), Some(Notice::Marked(7)));
        assert_eq!(hear_all(&mut hearing, &text::announced("a", "x")), []);
        assert_eq!(hearing.hear("templates 3"), Some(Notice::Templates(StudentId(3))));
        assert_eq!(hearing.hear(text::ATTENDANCE), Some(Notice::AttendanceChanged));
        assert_eq!(hearing.hear(text::CAMERAS), Some(Notice::CamerasChanged));
        for noise in ["", "templates", "templates x", "marked 7", "announced a", "announced b x", "tomorrow"] {
            assert_eq!(hearing.hear(noise), None, "{noise}");
        }
    }
}
