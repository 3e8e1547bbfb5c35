//! The user and the password in the address of a stream, as people type them: a password may hold the very signs that
//! end the host of an address. They are percent-encoded, so that whoever reads the address sees one and the same host.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, Ipv6Addr};

use crate::error::{Error, Result};

/// Returns the address `scheme://rest` with its login percent-encoded.
///
/// # Errors
/// [`Error::InvalidInput`] for an address without a host.
pub(super) fn encoded(scheme: &str, rest: &str) -> Result<String> {
    // SRT knows no login, and waits for a camera that calls where it has no host.
    let is_srt = scheme == "srt";
    let (login, place) = if is_srt { (None, rest) } else { split(rest) };
    if !is_srt && host_and_port(place).0.is_empty() {
        return Err(Error::invalid_input("camera", "its address has no host, as in rtsp://HOST/PATH"));
    }
    let login = login.map(|login| percent_encoded(login) + "@").unwrap_or_default();
    Ok(format!("{scheme}://{login}{place}"))
}

/// Splits what follows the scheme into the login and the rest, which begins with the host.
///
/// The login ends at the last `@`, whatever stands before it, unless the address is more likely one without a login or
/// with an `@` in its path.
pub(super) fn split(rest: &str) -> (Option<&str>, &str) {
    let authority = &rest[..rest.find(ENDS).unwrap_or(rest.len())];
    let strictly = authority.rfind('@');
    let at = |at: Option<usize>| at.map_or((None, rest), |at| (Some(&rest[..at]), &rest[at + 1..]));
    let last = rest.rfind('@');
    if last == strictly || !authority.contains(':') {
        return at(strictly);
    }
    let (read_strictly, read_to_the_last) = (at(strictly), at(last));
    let has_parameters = || {
        let port = host_and_port(rest).1.unwrap_or("");
        let between = &rest[authority.len()..last.unwrap_or(authority.len())];
        strictly.is_none() && !port.is_empty() && is_port(port) && between.contains('=')
    };
    let (strict, to_the_last) = (Likeness::of(read_strictly.1), Likeness::of(read_to_the_last.1));
    let is_password = to_the_last > strict || to_the_last == strict && strict <= Likeness::Word && !has_parameters();
    if is_password { read_to_the_last } else { read_strictly }
}

/// What ends the host and port of an address.
const ENDS: [char; 3] = ['/', '?', '#'];

/// How much a text looks like the host of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Likeness {
    None,
    Word,
    DottedName,
    Address,
}

impl Likeness {
    fn of(place: &str) -> Self {
        let (host, port) = host_and_port(place);
        if !port.is_none_or(is_port) {
            return Self::None;
        }
        let number = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let is_address = host.parse::<Ipv4Addr>().is_ok()
            || number.is_some_and(|number| number.split('%').next().unwrap_or("").parse::<Ipv6Addr>().is_ok());
        if is_address || host.eq_ignore_ascii_case("localhost") {
            Self::Address
        } else if host.is_empty() || !host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)) {
            Self::None
        } else if host.contains('.') {
            Self::DottedName
        } else {
            Self::Word
        }
    }
}

fn is_port(text: &str) -> bool {
    text.is_empty() || text.parse::<u16>().is_ok()
}

/// Returns the host, an IPv6 address in its brackets, and what follows its colon.
fn host_and_port(place: &str) -> (&str, Option<&str>) {
    let authority = &place[..place.find(ENDS).unwrap_or(place.len())];
    let host = if authority.starts_with('[') { authority.find(']').map_or(0, |end| end + 1) } else { 0 };
    match authority[host..].find(':') {
        Some(colon) => (&authority[..host + colon], Some(&authority[host + colon + 1..])),
        None => (authority, None),
    }
}

/// Returns a login with every sign percent-encoded that must not stand in one. What is encoded already stays.
fn percent_encoded(login: &str) -> String {
    let mut encoded = String::with_capacity(login.len());
    for (at, byte) in login.bytes().enumerate() {
        let is_encoded =
            || login.as_bytes().get(at + 1..at + 3).is_some_and(|two| two.iter().all(u8::is_ascii_hexdigit));
        if byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:".contains(&byte) || byte == b'%' && is_encoded() {
            encoded.push(char::from(byte));
        } else {
            // Writing into a string cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_before_the_last_at_sign_is_encoded() {
        for (rest, expected) in [
            ("admin:p#ss@10.0.0.5:554/s", "admin:p%23ss@10.0.0.5:554/s"),
            ("admin:p/s?s@cam.local/s?x=1", "admin:p%2Fs%3Fs@cam.local/s?x=1"),
            ("admin:p@ss/w#@cam/s", "admin:p%40ss%2Fw%23@cam/s"),
            ("admin:12/3@cam:554/s", "admin:12%2F3@cam:554/s"),
            ("admin:12#3@10.0.0.5/s", "admin:12%233@10.0.0.5/s"),
            ("admin:a.b/c@d.e#f@[fe80::1]:554/s", "admin:a.b%2Fc%40d.e%23f@[fe80::1]:554/s"),
            ("me@school.example:p/w@cam.local", "me%40school.example:p%2Fw@cam.local"),
            ("admin:\u{e4} \\%@cam/s", "admin:%C3%A4%20%5C%25@cam/s"),
            ("admin:%23%2fa%zz@cam/s", "admin:%23%2fa%25zz@cam/s"),
            (":#@cam/s", ":%23@cam/s"),
            ("root:e@2345@#353@10.0.0.5/s", "root:e%402345%40%23353@10.0.0.5/s"),
            ("admin:t?1@10.127.117.245:554/basic/h264/av", "admin:t%3F1@10.127.117.245:554/basic/h264/av"),
            ("admin:a^b!c;d@cam.local/s", "admin:a%5Eb!c;d@cam.local/s"),
            // Nothing to encode.
            ("admin:@10.0.0.5:554", "admin:@10.0.0.5:554"),
            (
                "admin:p@10.0.0.5:554/cam/realmonitor/channel=1&subtype=1",
                "admin:p@10.0.0.5:554/cam/realmonitor/channel=1&subtype=1",
            ),
            ("admin:p@cam/s", "admin:p@cam/s"),
            ("token@cam/s", "token@cam/s"),
            ("cam/s?a=b#c", "cam/s?a=b#c"),
            // The sign stands in the path, or in a parameter.
            ("10.0.0.5:554/live@main", "10.0.0.5:554/live@main"),
            ("cam.local/live@main", "cam.local/live@main"),
            ("admin:p@10.0.0.5/live@main", "admin:p@10.0.0.5/live@main"),
            ("cam:554/user=a&password=p@ss", "cam:554/user=a&password=p@ss"),
            ("8.8.8.8:80/@192.168.0.1/", "8.8.8.8:80/@192.168.0.1/"),
        ] {
            assert_eq!(encoded("rtsp", rest).unwrap(), format!("rtsp://{expected}"));
            assert_eq!(encoded("rtsp", expected).unwrap(), format!("rtsp://{expected}"), "once more");
        }
    }

    #[test]
    fn an_address_without_a_host_is_none() {
        for rest in ["", "/", "/a", "?a", "#a", ":554/a", "@", "a:b@", "a:b@/s", "a:b@:554/s", "a:p#@"] {
            assert!(encoded("rtsp", rest).is_err(), "{rest}");
        }
        assert_eq!(encoded("srt", ":9000?mode=listener").unwrap(), "srt://:9000?mode=listener");
        assert_eq!(encoded("srt", "cam:9000?passphrase=a@b").unwrap(), "srt://cam:9000?passphrase=a@b");
    }
}
