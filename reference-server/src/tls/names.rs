//! The names and addresses by which the machine is reached.

use std::collections::BTreeSet;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

/// The most addresses of one certificate. A machine with many containers has many.
const MOST_ADDRESSES: usize = 64;
/// An address of the documentation (RFC 5737), to ask the system by which of its own it would go there. Nothing is
/// sent.
const SOMEWHERE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 9);

/// Names in DNS and IP addresses.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Names {
    pub(crate) dns: BTreeSet<String>,
    pub(crate) addresses: BTreeSet<IpAddr>,
}

impl Names {
    /// Returns `given` names and addresses, `localhost`, `host` and every address of the machine's interfaces.
    pub(crate) fn of_machine(given: &[String], host: IpAddr) -> Self {
        let mut names = Self::default();
        names.dns.insert("localhost".into());
        names.addresses.extend([Ipv4Addr::LOCALHOST.into(), IpAddr::from(Ipv6Addr::LOCALHOST)]);
        if !host.is_unspecified() {
            names.addresses.insert(host);
        }
        for text in given {
            match text.parse() {
                Ok(address) => drop(names.addresses.insert(address)),
                Err(_) if is_dns_name(text) => drop(names.dns.insert(text.to_ascii_lowercase())),
                Err(_) => {}
            }
        }
        let interfaces = if_addrs::get_if_addrs().unwrap_or_else(|error| {
            tracing::warn!("the addresses of this machine cannot be read: {error}");
            Vec::new()
        });
        let reachable = interfaces.into_iter().map(|interface| interface.ip()).filter(|ip| !is_link_local(*ip));
        for address in reachable {
            if names.addresses.len() < MOST_ADDRESSES {
                names.addresses.insert(address);
            }
        }
        names
    }

    /// Returns those of these that are not among `others`.
    pub(crate) fn without(&self, others: &Self) -> Self {
        Self {
            dns: self.dns.difference(&others.dns).cloned().collect(),
            addresses: self.addresses.difference(&others.addresses).copied().collect(),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.dns.is_empty() && self.addresses.is_empty()
    }

    /// Returns each as text.
    pub(crate) fn texts(&self) -> Vec<String> {
        self.dns.iter().cloned().chain(self.addresses.iter().map(ToString::to_string)).collect()
    }
}

impl fmt::Display for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.texts().join(", "))
    }
}

/// Returns the address at which other machines reach a server that listens on `host`: `None` where only this machine
/// reaches it, or none is known.
pub(crate) fn seen_from_outside(host: IpAddr) -> Option<IpAddr> {
    if host.is_loopback() {
        return None;
    }
    if !host.is_unspecified() {
        return Some(host);
    }
    let by_route = || {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
        socket.connect(SOMEWHERE).ok()?;
        Some(socket.local_addr().ok()?.ip())
    };
    // Without a way to the internet, whichever comes first.
    let first = || Names::of_machine(&[], host).addresses.into_iter().find(|ip| !ip.is_loopback());
    by_route().filter(|ip| !ip.is_loopback() && !ip.is_unspecified()).or_else(first)
}

/// Addresses that need the name of an interface beside them, which no address of a page can have.
fn is_link_local(address: IpAddr) -> bool {
    matches!(address, IpAddr::V6(address) if address.is_unicast_link_local())
}

/// Returns whether a certificate may hold `text` as a name (RFC 5280, 4.2.1.6, by RFC 1034): letters, digits and
/// hyphens between dots.
fn is_dns_name(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= 253 && text.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_has_its_names_and_every_address() {
        let given = ["Attend-PC", "attend-pc.local", "under_score", "203.0.113.9"].map(str::to_owned);
        let names = Names::of_machine(&given, "192.0.2.77".parse().unwrap());
        let texts = names.texts();
        for name in ["attend-pc", "attend-pc.local", "localhost", "127.0.0.1", "::1", "192.0.2.77", "203.0.113.9"] {
            assert!(texts.iter().any(|text| text == name), "{name} is not in {names}");
        }
        assert!(!names.dns.contains("under_score"), "no certificate can hold it");
        assert!(!names.addresses.contains(&IpAddr::from(Ipv4Addr::UNSPECIFIED)));
        for interface in if_addrs::get_if_addrs().unwrap() {
            assert!(is_link_local(interface.ip()) || names.addresses.contains(&interface.ip()), "{}", interface.ip());
        }
    }

    #[test]
    fn other_machines_reach_no_loopback() {
        assert_eq!(seen_from_outside(Ipv4Addr::LOCALHOST.into()), None);
        let own: IpAddr = "192.0.2.77".parse().unwrap();
        assert_eq!(seen_from_outside(own), Some(own));
        let any = seen_from_outside(Ipv4Addr::UNSPECIFIED.into());
        assert!(any.is_none_or(|ip| !ip.is_loopback() && !ip.is_unspecified()), "{any:?}");
    }
}
