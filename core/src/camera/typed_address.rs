//! The address of a camera as a form has it: with its user and its password apart, or with a password that is kept and
//! was not typed again.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::login;
use super::source::{CameraSource, redacted};
use crate::error::{Error, Result};

/// What stands for what is not shown.
const HIDDEN: &str = "***";

/// Returns the whole address of a camera of which somebody typed `address` and perhaps a user and a password. `kept` is
/// the whole address that the camera has so far: where `address` shows it without its password and none is typed, the
/// password stays. It stays for the same host alone, so that nobody has it sent elsewhere.
///
/// ```
/// use faceattend_core::camera::typed_address;
///
/// let whole = typed_address("rtsp://10.0.0.7/1", Some("admin"), Some("p@ss"), None)?;
/// assert_eq!(whole, "rtsp://admin:p%40ss@10.0.0.7/1");
/// assert_eq!(typed_address("rtsp://admin:***@10.0.0.7/2", None, None, Some(&whole))?,
/// "rtsp://admin:p%40ss@10.0.0.7/2"); assert!(typed_address("rtsp://admin:***@10.0.0.8/2", None, None,
/// Some(&whole)).is_err());
/// # Ok::<(), faceattend_core::Error>(())
/// ```
///
/// # Errors
/// [`Error::InvalidInput`] for what is no address of a camera, for a user without a password, for a user and a password
/// of what is no stream, and for a hidden password that is not the one of `kept`.
pub fn typed_address(address: &str, user: Option<&str>, password: Option<&str>, kept: Option<&str>) -> Result<String> {
    let refused = |reason: &str| Err(Error::invalid_input("camera", reason));
    let address = address.trim();
    let user = user.filter(|user| !user.is_empty());
    let whole = match (user, password.filter(|password| !password.is_empty())) {
        (user, Some(password)) => {
            let Some((scheme, rest)) = address.split_once("://") else {
                return refused("only the address of a stream has a user and a password");
            };
            let (login, place) = login::split(rest);
            let in_address = login.map(|login| login.split_once(':').map_or(login, |(user, _)| user));
            if in_address == Some(HIDDEN) && user.is_none() {
                return refused("type the user again too");
            }
            let user = user.or(in_address).unwrap_or_default();
            format!("{scheme}://{}:{}@{place}", encoded(user), encoded(password))
        }
        (_, None) if !address.contains(HIDDEN) => match (user, kept) {
            (None, _) => address.to_owned(),
            (Some(user), Some(kept)) if has_user(address, user) || has_user(kept, user) && is_at(address, kept) => {
                with_login_of(address, kept).unwrap_or_else(|| address.to_owned())
            }
            (Some(_), _) => return refused("a user needs a password"),
        },
        (_, None) => match kept {
            Some(kept) if redacted(kept) == address => kept.to_owned(),
            Some(kept) if is_at(address, kept) => match with_login_of(address, kept) {
                Some(whole) if !whole.contains(HIDDEN) => whole,
                _ => return refused("its password is hidden: type the address and the password again"),
            },
            Some(_) => return refused("its password is kept for the same host and user alone: type it again"),
            None => return refused("its password is hidden: type it"),
        },
    };
    CameraSource::parse(&whole)?;
    Ok(whole)
}

fn has_user(address: &str, user: &str) -> bool {
    let rest = address.split_once("://").map_or("", |(_, rest)| rest);
    let login = login::split(rest).0.unwrap_or_default();
    let found = login.split_once(':').map_or(login, |(user, _)| user);
    found == user || found == encoded(user)
}

/// Whether both are at one host and port by one scheme, and name one user where both name one.
fn is_at(address: &str, kept: &str) -> bool {
    let parts = |address: &str| {
        let (scheme, rest) = address.split_once("://")?;
        let (login, place) = login::split(rest);
        let host = place[..place.find(['/', '?', '#']).unwrap_or(place.len())].to_ascii_lowercase();
        let user = login.map(|login| login.split_once(':').map_or(login, |(user, _)| user).to_owned());
        Some((scheme.to_ascii_lowercase(), host, user))
    };
    match (parts(address), parts(kept)) {
        (Some((scheme, host, user)), Some((kept_scheme, kept_host, kept_user))) => {
            let same_user = user.as_deref().is_none_or(|user| user == HIDDEN || kept_user.as_deref() == Some(user));
            (scheme, host) == (kept_scheme, kept_host) && same_user
        }
        _ => false,
    }
}

/// The address with the login that `kept` holds.
fn with_login_of(address: &str, kept: &str) -> Option<String> {
    let (scheme, rest) = address.split_once("://")?;
    let login = login::split(kept.split_once("://")?.1).0?;
    Some(format!("{scheme}://{login}@{}", login::split(rest).1))
}

/// Every sign of a typed user or password that means something in an address is percent-encoded.
const MEANT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, MEANT).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEPT: &str = "rtsp://admin:p%40ss@cam.local:554/1";

    #[test]
    fn a_password_is_encoded_whatever_it_holds() {
        for (address, user, password, whole) in [
            ("rtsp://cam/1", Some("a"), "p@s:s/#%", "rtsp://a:p%40s%3As%2F%23%25@cam/1"),
            ("rtsp://a:***@cam/1", None, "new", "rtsp://a:new@cam/1"),
            ("rtsp://b@cam/1", None, "new", "rtsp://b:new@cam/1"),
            ("http://a:old@cam/1?x=1", Some("b"), "new", "http://b:new@cam/1?x=1"),
        ] {
            assert_eq!(typed_address(address, user, Some(password), None).unwrap(), whole);
        }
        for (address, user) in [("0", Some("a")), ("rtsp://***@cam/1", None), ("clip.avi", Some("a"))] {
            assert!(typed_address(address, user, Some("p"), None).is_err(), "{address}");
        }
    }

    #[test]
    fn a_password_that_is_not_typed_again_stays_for_its_host() {
        for (address, user, whole) in [
            ("rtsp://admin:***@cam.local:554/1", None, KEPT),
            ("rtsp://admin:***@cam.local:554/1", Some("admin"), KEPT),
            ("rtsp://admin:***@CAM.local:554/2", None, "rtsp://admin:p%40ss@CAM.local:554/2"),
            ("rtsp://cam.local:554/2", Some("admin"), "rtsp://admin:p%40ss@cam.local:554/2"),
            ("rtsp://cam.local:554/2", None, "rtsp://cam.local:554/2"),
            ("0", None, "0"),
        ] {
            assert_eq!(typed_address(address, user, None, Some(KEPT)).unwrap(), whole, "{address}");
        }
    }

    #[test]
    fn a_password_goes_to_no_other_host_and_no_other_user() {
        for (address, user) in [
            ("rtsp://admin:***@evil.example/1", None),
            ("rtsp://admin:***@cam.local/1", None),
            ("http://admin:***@cam.local:554/1", None),
            ("rtsp://root:***@cam.local:554/1", None),
            ("rtsp://cam.local:554/1", Some("root")),
            ("rtsp://evil.example/1", Some("admin")),
            ("rtsp://admin:***@cam.local:554/1?pin=***", None),
            ("rtsp://admin:***@cam.local:554@evil.example/1", None),
        ] {
            let refused = typed_address(address, user, None, Some(KEPT));
            assert!(refused.is_err(), "{address}: {refused:?}");
            assert!(!refused.unwrap_err().to_string().contains("40ss"));
        }
        assert!(typed_address("rtsp://admin:***@cam.local:554/1", None, None, None).is_err());
    }
}
