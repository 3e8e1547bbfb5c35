//! Times as text without an offset, in the database and on the wire.
//!
//! - A time that is read can be written, and reads back as the same: to the microsecond, or in whole seconds.
//! - Text order is time order, and a bound sorts before every spelling of its time.
//!
//! The bytes are two texts with a line end between them.

use faceattend_core::internals::read_and_spelled;
use faceattend_server::internals::naive_utc;
use jiff::{SignedDuration, Timestamp};

/// Reads the lines of `data` as times.
pub fn check(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (first, second) = text.split_once('\n').unwrap_or((&text, ""));
    let Some((at, [micros, seconds, bound])) = read_and_spelled(first) else { return };
    let of = |text: &str| read_and_spelled(text).unwrap_or_else(|| unreadable(text, at)).0;
    let lost = |spelled: &str| at.duration_since(of(spelled));
    let (none, micro, second_long) =
        (SignedDuration::ZERO, SignedDuration::from_micros(1), SignedDuration::from_secs(1));
    assert!((none..micro).contains(&lost(&micros)), "{micros}");
    assert!((none..second_long).contains(&lost(&seconds)), "{seconds}");
    assert!((none..micro).contains(&lost(&naive_utc(at))));
    assert!(bound <= micros && (at.subsec_nanosecond() != 0 || bound <= seconds), "{bound}");

    let Some((other, [other_micros, _, other_bound])) = read_and_spelled(second) else { return };
    if of(&micros) < of(&other_micros) {
        assert!(micros < other_micros && micros < other_bound, "{at} {other}");
    }
}

fn unreadable(text: &str, at: Timestamp) -> ! {
    panic_with(&format!("{at} was written as {text}, which is no time"))
}

#[expect(clippy::panic, reason = "this is how a target says what it found")]
fn panic_with(found: &str) -> ! {
    panic!("{found}")
}

#[cfg(test)]
pub(crate) fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("micros", b"2026-01-31 09:30:00.250000\n2026-01-31 09:30:00".to_vec()),
        ("offset", b"2026-01-31T11:30:00.25+02:00\n2026-01-31T11:30:00Z".to_vec()),
        ("zone", b"2026-01-31T11:30:00+01:00[Europe/Berlin]\n2024-02-29".to_vec()),
        ("first", b"0001-01-01 00:00:00\n9999-12-30 22:00:00".to_vec()),
        ("before-1970", b"1969-12-31 23:59:59.999999\n1970-01-01 00:00:00.000001".to_vec()),
    ]
}
