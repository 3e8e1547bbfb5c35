//! The names under which the server answers.
//!
//! A page of a stranger can give its own name the address of this machine (DNS rebinding), and its scripts then talk to
//! the server as if it were theirs. They cannot do that to an address, and not to a name that is not theirs.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// A name under which the server answers, or `*` for every name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowedHost(Option<String>);

impl FromStr for AllowedHost {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let name = text.trim();
        if name == "*" {
            return Ok(Self(None));
        }
        if !is_name(name) {
            return Err(format!("{name:?} is no name of a machine, such as attendance.school.example"));
        }
        Ok(Self(Some(plain(name))))
    }
}

/// The names under which the server answers. IP addresses, `localhost` and the names of the machine are always among
/// them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowedHosts {
    every_name: bool,
    names: Vec<String>,
}

impl AllowedHosts {
    /// Returns these names and those of the machine.
    #[must_use]
    pub fn new(given: Vec<AllowedHost>) -> Self {
        let machine = hostname::get().ok().and_then(|name| name.into_string().ok()).unwrap_or_default();
        Self::on(&machine, given)
    }

    fn on(machine: &str, given: Vec<AllowedHost>) -> Self {
        let every_name = given.contains(&AllowedHost(None));
        let mut names: Vec<String> = given.into_iter().filter_map(|AllowedHost(name)| name).collect();
        let machine = plain(machine);
        if !machine.is_empty() {
            // The first label alone, and its name in multicast DNS (RFC 6762).
            let short = machine.split('.').next().unwrap_or_default().to_owned();
            names.extend([format!("{short}.local"), short, machine]);
        }
        Self { every_name, names }
    }

    /// Returns the names, those of the machine among them.
    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    /// Returns whether the server answers to `authority`, a name or an address with or without a port, as browsers send
    /// it.
    pub(crate) fn hold(&self, authority: &str) -> bool {
        let host = host_of(authority);
        let address = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        if address.is_some_and(|address| address.parse::<Ipv6Addr>().is_ok()) || host.parse::<Ipv4Addr>().is_ok() {
            return true;
        }
        let name = plain(host);
        is_name(&name) && (self.every_name || is_localhost(&name) || self.names.contains(&name))
    }
}

impl Default for AllowedHosts {
    fn default() -> Self {
        Self::new(Vec::new())
    }
}

/// Returns `authority` without its port.
pub(crate) fn host_of(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    }
}

/// Returns whether `name` is of this machine for every browser (RFC 6761).
pub(crate) fn is_localhost(name: &str) -> bool {
    name == "localhost" || name.ends_with(".localhost")
}

fn plain(name: &str) -> String {
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}

/// Returns whether `name` has only the letters of names in DNS, and the underscore of container networks.
fn is_name(name: &str) -> bool {
    let letters = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    (1..=253).contains(&name.len()) && name.bytes().all(letters)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(given: &[&str]) -> AllowedHosts {
        AllowedHosts::on("Attend-PC.school.example", given.iter().map(|name| name.parse().unwrap()).collect())
    }

    #[test]
    fn addresses_and_own_names_hold_and_other_names_have_to_be_given() {
        let own = hosts(&[]);
        for good in [
            "127.0.0.1:8001",
            "192.168.1.5:8000",
            "203.0.113.9",
            "[::1]:8001",
            "[2001:db8::1]",
            "localhost",
            "LOCALHOST:8001",
            "localhost.:8001",
            "app.localhost:8001",
            "attend-pc:8001",
            "attend-pc.local",
            "attend-pc.school.example.",
        ] {
            assert!(own.hold(good), "{good}");
        }
        for bad in [
            "",
            ":8001",
            "evil.example",
            "evil.example:8001",
            "127.0.0.1.evil.example",
            "localhost.evil.example",
            "evil-localhost",
            "attend-pc.evil.example",
            "attendance.school.example",
            "user@localhost",
            "localhost/evil.example",
            "evil.example#localhost",
            "[::1].evil.example",
            "[evil.example]",
            "127.0.0.1:80:evil",
        ] {
            assert!(!own.hold(bad), "{bad}");
        }
        let given = hosts(&["Attendance.School.example"]);
        assert!(given.hold("attendance.school.example:443") && given.hold("attend-pc"));
        assert!(!given.hold("www.attendance.school.example") && !given.hold("evil.example"));
        assert!(hosts(&["*"]).hold("evil.example"));
        assert!(!AllowedHosts::on("", Vec::new()).hold(""), "a machine without a name");
    }

    #[test]
    fn a_name_has_no_scheme_and_no_port() {
        for wrong in ["", "https://a.example", "a.example:443", "a b", "*.a.example"] {
            assert!(wrong.parse::<AllowedHost>().is_err(), "{wrong}");
        }
    }
}
