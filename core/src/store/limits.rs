//! How long the texts are that a database keeps, in characters. One table for every way in: the stores refuse a longer
//! text, and forms in front of them can ask for no more.
//!
//! The columns of the existing service declare lengths too, which neither SQLite nor our tables in PostgreSQL enforce.
//! Rows that are in a database already keep their texts.

/// The name of a student: the length of the column in the existing service, which checks it too.
pub const STUDENT_NAME: usize = 255;
/// A roll number: the length of the column in the existing service, which checks it too.
pub const ROLL_NUMBER: usize = 50;
/// The location of a camera, which every mark by it repeats. The existing service declares 100 and accepts more.
pub const CAMERA_LOCATION: usize = 255;
/// The name of a camera, which a list shows in one line.
pub const CAMERA_NAME: usize = 100;
/// How many cameras are kept: more than a machine watches.
pub const CAMERAS: usize = 1000;
/// How many kiosks there are: more than a site has gates.
pub const KIOSKS: u64 = 200;
/// The address of a camera or the path of a recording: the longest path that Linux takes (`PATH_MAX`).
pub const CAMERA_ADDRESS: usize = 4096;
/// The name of a group of students, which a list shows in one line.
pub const GROUP_NAME: usize = 100;
/// How many groups there are: more than a large school has classes.
pub const GROUPS: usize = 2000;
/// How many periods a day has: one every half hour.
pub const PERIODS: usize = 48;
/// The name of an entry of the calendar, which a list shows in one line.
pub const CALENDAR_NAME: usize = 255;
/// The name of a part of the day, such as a lesson.
pub const PERIOD: usize = 255;
/// The name of a person who gave a consent or made a correction.
pub const PERSON: usize = 255;
/// The version of the notice that a person agreed to: the length of the column.
pub const NOTICE: usize = 255;
/// The reason of a correction or an excuse: a page of text.
pub const REASON: usize = 4000;
/// The error in a row of the detection log, which is a code. A longer text is cut: a log must not fail.
pub const LOGGED_ERROR: usize = 255;

/// How many reasons an entry of the second-look list has: more than there are cues of life.
pub const SECOND_LOOK_REASONS: usize = 16;
/// A reason of an entry of the second-look list, which is a code.
pub const SECOND_LOOK_REASON: usize = 40;

/// How many channels carry notices.
pub const ALERT_CHANNELS: usize = 50;
/// How many rules of notices are kept: each mark looks at those of its event.
pub const ALERT_RULES: u64 = 100;
/// How many addresses a rule sends to.
pub const ALERT_ADDRESSES: usize = 20;
/// The name of a channel or of a rule, which a list shows in one line.
pub const ALERT_NAME: usize = 100;
/// The address of a webhook: what every server takes (RFC 9110, 4.1, recommends 8000 octets as the least).
pub const ALERT_URL: usize = 2000;
/// The name of a mail server: the longest name of a host (RFC 1035).
pub const ALERT_HOST: usize = 253;
/// The secret of a channel.
pub const ALERT_SECRET: usize = 1000;
/// For how many minutes an e-mail channel collects at most: a day.
pub const ALERT_WINDOW_MINUTES: u16 = 1440;
/// What went wrong in a try: a longer text is cut.
pub const ALERT_ERROR: usize = 500;
/// An e-mail address: the longest that SMTP takes (RFC 5321, 4.5.3.1.3, without its brackets).
pub const EMAIL: usize = 254;
/// How many guardians a student has.
pub const GUARDIANS: usize = 6;

/// Returns the first `most` characters of `text`.
///
/// ```
/// use faceattend_core::store::limits::cut;
///
/// assert_eq!(cut("Gate", 255), "Gate");
/// assert_eq!(cut("Tür 1", 3), "Tür");
/// ```
#[must_use]
pub fn cut(text: &str, most: usize) -> &str {
    text.char_indices().nth(most).map_or(text, |(end, _)| &text[..end])
}

/// Returns whether nothing of `text` is seen: it is empty, or white space and characters without width.
///
/// ```
/// use faceattend_core::store::limits::is_blank;
///
/// assert!(is_blank(" \u{a0}\u{200b}") && !is_blank(" a"));
/// ```
#[cfg(any(feature = "sqlite", feature = "postgres"))]
#[must_use]
pub fn is_blank(text: &str) -> bool {
    super::text_keys::roll_key(text).is_empty()
}

/// Checks that `text` has at most `most` characters, and no NUL, which PostgreSQL keeps nowhere.
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(super) fn fits(what: &'static str, text: &str, most: usize) -> crate::error::Result<()> {
    if text.contains('\0') {
        return Err(crate::error::Error::invalid_input(what, "it holds the control character U+0000"));
    }
    if cut(text, most).len() == text.len() {
        return Ok(());
    }
    Err(crate::error::Error::invalid_input(what, format!("it has more than {most} characters")))
}

/// Checks that `text` has no control character: none can be typed, seen or told from another on a list.
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(super) fn has_no_control_character(what: &'static str, text: &str) -> crate::error::Result<()> {
    let Some(found) = text.chars().find(|letter| letter.is_control()) else { return Ok(()) };
    let reason = format!("it holds the control character U+{:04X}", u32::from(found));
    Err(crate::error::Error::invalid_input(what, reason))
}
