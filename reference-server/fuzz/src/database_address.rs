//! The addresses of databases, and how they are shown.
//!
//! - A password before the host, and the parameter `password`, are shown nowhere: not in `Display`, not in `Debug`, not
//!   in an error.

use arbitrary::{Result, Unstructured};
use faceattend_core::store::{StoreLocation, redacted};

use crate::secret::{in_any_case, must_not_be_in, noise, value};

/// Reads `data` as an address, and addresses that are made of it.
pub fn check(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Ok(location) = StoreLocation::parse(&text) {
        assert_eq!(format!("{location:?}"), format!("StoreLocation({location})"));
    }
    let mut from = Unstructured::new(data);
    // An address needs more bytes than there are: nothing to try.
    let _ = with_a_password(&mut from).map(|address| is_hidden(&address));
    let _ = with_a_parameter(&mut from).map(|address| is_hidden(&address));
}

fn is_hidden(address: &str) {
    match StoreLocation::parse(address) {
        Ok(location) => must_not_be_in(&format!("{location} {location:?}"), address),
        Err(error) => must_not_be_in(&format!("{error} {error:?}"), address),
    }
    must_not_be_in(&redacted(address), address);
}

fn with_a_password(from: &mut Unstructured<'_>) -> Result<String> {
    let scheme = from.choose(&["postgres", "postgresql"])?;
    let (user, password, tail) = (noise(from)?, value(from, &[])?, noise(from)?);
    Ok(format!("{scheme}://{user}:{password}@host/name{tail}"))
}

fn with_a_parameter(from: &mut Unstructured<'_>) -> Result<String> {
    let name = in_any_case(from, "password")?;
    let begin = from.choose(&["?", "?user=me&", "?sslmode=require&"])?;
    let (value, tail) = (value(from, &['&', '?'])?, noise(from)?);
    Ok(format!("postgres://host/name{begin}{name}={value}{tail}"))
}

#[cfg(test)]
pub(crate) fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("file", b"attendance.db".to_vec()),
        ("sqlite", b"sqlite:////srv/attendance.db".to_vec()),
        ("login", b"postgres://me:geh@im@host:5432/db?sslmode=require".to_vec()),
        ("parameter", b"postgresql://host/db?user=me&password=geheim".to_vec()),
        ("another", b"mysql://me:geheim@host/db".to_vec()),
    ]
}
