//! Which cameras somebody may open who does not administer the site: hosts, and folders of recordings.
//!
//! Whoever starts a camera makes this machine connect to an address or open a file. Without a bound, that reaches
//! services that trust this machine, and tells which files are there.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs as _};
use std::path::{Component, Path, PathBuf};
use std::str::FromStr;

use super::address::Address;
use crate::error::{Error, Result};
use crate::types::Network;

/// The hosts and the folders of which cameras and recordings may be opened.
///
/// By default: RTSP and HTTP, plain or with TLS, at addresses of private networks; the devices of this machine; no
/// file.
///
/// ```
/// use std::sync::Arc;
///
/// use faceattend_core::CameraSource;
/// use faceattend_core::camera::CameraAccess;
///
/// let access = Arc::new(CameraAccess::default());
/// let permitted = |text: &str| CameraSource::parse(text).unwrap().permitted_by(&access).is_some();
/// assert!(permitted("rtsp://admin:secret@192.168.1.20/stream") && permitted("0"));
/// assert!(!permitted("http://127.0.0.1:9200/") && !permitted("/etc/passwd"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CameraAccess {
    hosts: Vec<CameraHosts>,
    folders: Vec<PathBuf>,
}

impl Default for CameraAccess {
    fn default() -> Self {
        Self { hosts: vec![CameraHosts::Private], folders: Vec::new() }
    }
}

/// Hosts of cameras: a word for many, a range of addresses, or a name.
///
/// ```
/// use faceattend_core::camera::CameraHosts;
///
/// for text in ["private", "loopback", "any", "10.0.0.0/8", "2001:db8::7", "cam.example.org"] {
///     assert_eq!(text.parse::<CameraHosts>().unwrap().to_string(), text);
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum CameraHosts {
    /// `private`: the addresses that no router of the internet forwards. 10/8, 172.16/12 and 192.168/16 (RFC 1918),
    /// 169.254/16 (RFC 3927), fc00::/7 (RFC 4193) and fe80::/10 (RFC 4291), but for the addresses at which clouds tell
    /// their machines secrets. Not this machine itself: what listens there often trusts whoever asks.
    Private,
    /// `loopback`: this machine by its own addresses, 127/8 and ::1.
    Loopback,
    /// `any`: every host.
    Any,
    /// A range of addresses.
    Range(Network),
    /// A name, at whatever address it is.
    Name(String),
}

impl CameraHosts {
    /// Returns whether the address is one of these.
    fn hold(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        match self {
            Self::Private => is_private(address),
            Self::Loopback => address.is_loopback(),
            Self::Any => true,
            Self::Range(network) => network.holds(address),
            Self::Name(_) => false,
        }
    }
}

/// Where clouds tell a machine its secrets: most of them, and AWS over IPv6.
const METADATA: [IpAddr; 7] = [
    IpAddr::V4(Ipv4Addr::new(169, 254, 169, 254)),
    IpAddr::V4(Ipv4Addr::new(169, 254, 170, 2)),
    IpAddr::V4(Ipv4Addr::new(169, 254, 170, 23)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23)),
    IpAddr::V6(Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254)),
    IpAddr::V6(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0xa9fe, 0xa9fe)),
];

fn is_private(address: IpAddr) -> bool {
    let is_local = match address {
        IpAddr::V4(v4) => v4.is_private() || v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unique_local() || v6.is_unicast_link_local(),
    };
    is_local && !METADATA.contains(&address)
}

impl FromStr for CameraHosts {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong =
            || Error::invalid_input("camera hosts", format!("{text:?} is no host, no range of addresses and no word"));
        let text = text.trim();
        match text {
            "private" => return Ok(Self::Private),
            "loopback" => return Ok(Self::Loopback),
            "any" => return Ok(Self::Any),
            _ => {}
        }
        if let Ok(network) = text.parse() {
            return Ok(Self::Range(network));
        }
        let is_name = text.contains(|c: char| c.is_ascii_alphabetic())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
        if is_name { Ok(Self::Name(text.to_ascii_lowercase())) } else { Err(wrong()) }
    }
}

impl std::fmt::Display for CameraHosts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Private => f.write_str("private"),
            Self::Loopback => f.write_str("loopback"),
            Self::Any => f.write_str("any"),
            Self::Range(network) => network.fmt(f),
            Self::Name(name) => f.write_str(name),
        }
    }
}

impl CameraAccess {
    /// Returns the same access to these hosts alone.
    #[must_use]
    pub fn with_hosts(mut self, hosts: Vec<CameraHosts>) -> Self {
        self.hosts = hosts;
        self
    }

    /// Returns the same access, and to the recordings in these folders and below.
    #[must_use]
    pub fn with_folders(mut self, folders: Vec<PathBuf>) -> Self {
        self.folders = folders;
        self
    }

    /// Returns whether `address` is one of the hosts, or `name`, at which it was found, is.
    ///
    /// ```
    /// use faceattend_core::camera::CameraAccess;
    ///
    /// let access = CameraAccess::default();
    /// assert!(access.holds("cam.local", "192.168.1.20".parse().expect("an address")));
    /// assert!(!access.holds("localhost", "127.0.0.1".parse().expect("an address")));
    /// ```
    #[must_use]
    pub fn holds(&self, name: &str, address: IpAddr) -> bool {
        self.hosts.iter().any(|hosts| match hosts {
            CameraHosts::Name(known) => known.eq_ignore_ascii_case(name),
            hosts => hosts.hold(address),
        })
    }

    /// Returns the addresses of the host, all of which are permitted; `None` where one is not, or there is none.
    pub(super) fn reach(&self, address: &Address<'_>) -> Option<Vec<SocketAddr>> {
        let found: Vec<SocketAddr> = (address.host, address.port).to_socket_addrs().ok()?.collect();
        let is_permitted = |found: &SocketAddr| self.hosts.iter().any(|hosts| hosts.hold(found.ip()));
        let all = !found.is_empty() && (self.names(address) || found.iter().all(is_permitted));
        all.then_some(found)
    }

    /// Returns whether the host is on the list as an address or by its name, so that no other address can take its
    /// place.
    pub(super) fn is_fixed(&self, address: &Address<'_>) -> bool {
        address.literal().is_some() || self.names(address) || self.hosts.contains(&CameraHosts::Any)
    }

    /// Returns whether the host is permitted by its name.
    pub(super) fn names(&self, address: &Address<'_>) -> bool {
        self.hosts.iter().any(|hosts| match hosts {
            CameraHosts::Name(name) => name.eq_ignore_ascii_case(address.host),
            _ => false,
        })
    }

    /// Returns the path without links, where it lies in one of the folders.
    pub(super) fn within_folders(&self, path: &Path) -> Option<PathBuf> {
        let path = path.canonicalize().ok()?;
        let is_within = |folder: &PathBuf| folder.canonicalize().is_ok_and(|folder| path.starts_with(folder));
        self.folders.iter().any(is_within).then_some(path)
    }
}

/// Returns whether the path is that of a camera by its name or its place. Opening another device may do something.
pub(super) fn is_camera_device(path: &Path) -> bool {
    path.starts_with("/dev/v4l") && path.components().all(|part| !matches!(part, Component::ParentDir))
}
