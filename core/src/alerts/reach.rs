//! Where notices may be sent: whoever chooses the address of a channel makes this machine connect to it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::camera::CameraAccess;

/// The hosts that notices may be sent to: those of the internet, and of the networks here the ones that the operator
/// permits.
///
/// ```
/// use faceattend_core::alerts::AlertReach;
/// use faceattend_core::camera::CameraAccess;
///
/// // By default cameras may be opened in private networks, and not on this machine.
/// let reach = AlertReach::new(CameraAccess::default());
/// let permits = |address: &str| reach.permits("hook.example", address.parse().expect("an address"));
/// assert!(permits("93.184.215.14") && permits("192.168.1.20"));
/// assert!(!permits("127.0.0.1") && !permits("169.254.169.254"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AlertReach {
    here: CameraAccess,
}

impl AlertReach {
    /// Returns the reach over the internet and to these hosts.
    #[must_use]
    pub fn new(here: CameraAccess) -> Self {
        Self { here }
    }

    /// Returns whether a connection to `address` may be made, which was found for the name `host`. Ask for every
    /// address, and connect to the one that was asked for: a name can lead elsewhere the next time.
    #[must_use]
    pub fn permits(&self, host: &str, address: IpAddr) -> bool {
        is_of_the_internet(address) || self.here.holds(host, address)
    }
}

/// Returns whether routers of the internet forward the address (IANA's registries of special-purpose addresses, RFC
/// 6890). What holds another address inside is as far away as that.
fn is_of_the_internet(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => is_global(v4),
        IpAddr::V6(v6) => {
            let parts = v6.segments();
            let inner = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
            match parts {
                // NAT64 (RFC 6052) and 6to4 (RFC 3056).
                [0x64, 0xff9b, 0, 0, 0, 0, high, low] => is_global(inner(high, low)),
                [0x2002, high, low, ..] => is_global(inner(high, low)),
                _ => is_global_6(v6),
            }
        }
    }
}

fn is_global(v4: Ipv4Addr) -> bool {
    let [a, b, c, _] = v4.octets();
    let is_special = v4.is_private()
        || v4.is_loopback()
        || v4.is_link_local()
        || v4.is_multicast()
        || v4.is_documentation()
        || a == 0
        || a >= 240
        // Shared with a provider (RFC 6598), benchmarks (RFC 2544), protocols (RFC 6890), 6to4's relays (RFC 7526).
        || (a == 100 && (64..128).contains(&b))
        || (a == 198 && (18..20).contains(&b))
        || (a, b, c) == (192, 0, 0)
        || (a, b, c) == (192, 88, 99);
    !is_special
}

fn is_global_6(v6: Ipv6Addr) -> bool {
    let [first, second, ..] = v6.segments();
    // 2000::/3 is all that is given out. Of 2001::/23 protocols have most, such as Teredo, and 2001:db8::/32 and
    // 3fff::/20 are for documentation.
    let is_given_out = (0x2000..0x4000).contains(&first);
    let is_of_a_protocol = first == 0x2001 && (second < 0x200 || second == 0xdb8);
    is_given_out && !is_of_a_protocol && !(first == 0x3fff && second < 0x1000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::camera::CameraHosts;

    fn permits(reach: &AlertReach, address: &str) -> bool {
        reach.permits("hook.example", address.parse().unwrap())
    }

    #[test]
    fn what_the_internet_does_not_forward_needs_a_permission() {
        let nowhere = AlertReach::new(CameraAccess::default().with_hosts(Vec::new()));
        for address in ["8.8.8.8", "100.63.0.1", "2606:4700::1111", "2002:808:808::1", "64:ff9b::808:808"] {
            assert!(permits(&nowhere, address), "{address}");
        }
        for address in [
            "127.0.0.1",
            "10.0.0.1",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "255.255.255.255",
            "224.0.0.1",
            "198.18.0.1",
            "::1",
            "::",
            "::ffff:127.0.0.1",
            "::127.0.0.1",
            "fe80::1",
            "fc00::1",
            "fd00:ec2::254",
            "ff02::1",
            "2001:db8::1",
            "2001::1",
            "2002:7f00:1::1",
            "64:ff9b::7f00:1",
            "64:ff9b::a9fe:a9fe",
        ] {
            assert!(!permits(&nowhere, address), "{address}");
        }
    }

    #[test]
    fn the_operator_permits_hosts_here_by_range_word_or_name() {
        let hosts = |text: &str| AlertReach::new(CameraAccess::default().with_hosts(vec![text.parse().unwrap()]));
        assert!(permits(&hosts("loopback"), "127.0.0.1") && !permits(&hosts("loopback"), "10.0.0.1"));
        assert!(permits(&hosts("10.0.0.0/8"), "10.1.2.3") && !permits(&hosts("10.0.0.0/8"), "192.168.0.1"));
        assert!(permits(&hosts("hook.example"), "10.1.2.3") && !permits(&hosts("other.example"), "10.1.2.3"));
        assert!(permits(&AlertReach::new(CameraAccess::default().with_hosts(vec![CameraHosts::Any])), "127.0.0.1"));
    }
}
