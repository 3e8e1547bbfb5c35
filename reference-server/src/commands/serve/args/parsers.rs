//! Values of settings, read from text.

use faceattend_core::Error;
use faceattend_core::enrolment::DuplicatePolicy;

use crate::settings::RateLimits;

pub(super) fn duplicates(name: &str) -> std::result::Result<DuplicatePolicy, String> {
    DuplicatePolicy::parse(name).ok_or_else(|| "expected refuse, warn or allow".to_owned())
}

pub(super) fn server_name(name: &str) -> std::result::Result<String, String> {
    const LONGEST: usize = 100;
    match name.trim() {
        "" => Err("it is empty".to_owned()),
        name if name.chars().count() > LONGEST => Err(format!("it has more than {LONGEST} characters")),
        name => Ok(name.to_owned()),
    }
}

/// Returns the limits for these numbers. A number that was given holds for this machine too.
pub(in crate::commands::serve) fn rates(per_address: Option<u32>, per_login: Option<u32>) -> RateLimits {
    let usual = RateLimits::default();
    let or = |given: Option<u32>, usual| given.map_or(usual, |number| Some(number).filter(|number| *number > 0));
    RateLimits {
        per_address: or(per_address, usual.per_address),
        per_login: or(per_login, usual.per_login),
        this_machine: per_address.is_some() || per_login.is_some(),
    }
}

/// Parses a value by the core's own rules, and refuses a wrong one in the core's words.
pub(crate) fn parsed<T: std::str::FromStr<Err = Error>>(text: &str) -> std::result::Result<T, String> {
    text.parse().map_err(|error: Error| match error {
        Error::InvalidInput { reason, .. } => reason,
        other => other.to_string(),
    })
}
