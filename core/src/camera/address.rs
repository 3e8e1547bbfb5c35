//! The address of a stream, taken apart as FFmpeg takes it apart: what is checked must be what is opened.

use std::io::{Read as _, Write as _};
use std::net::{IpAddr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

/// A stream of a camera that speaks RTSP or HTTP.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Address<'a> {
    scheme: &'a str,
    /// With its `@`; empty without one.
    pub(super) login: &'a str,
    /// Without brackets.
    pub(super) host: &'a str,
    pub(super) port: u16,
    /// Path and query.
    path: &'a str,
}

impl<'a> Address<'a> {
    /// Reads an address; `None` for another protocol, and wherever two readers could see different hosts in it.
    pub(super) fn of(url: &'a str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        let usual = usual_port(scheme)?;
        if url.bytes().any(|b| b <= b' ' || b == b'\\' || b == 0x7f) {
            return None;
        }
        let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        // A password with a raw slash: some readers take what stands before the slash for the host.
        if path.contains('@') {
            return None;
        }
        let (login, place) = authority.split_at(authority.rfind('@').map_or(0, |at| at + 1));
        let (host, port) = match place.strip_prefix('[') {
            Some(bracketed) => {
                let (host, port) = bracketed.split_once(']')?;
                let (number, zone) = host.split_once('%').unwrap_or((host, ""));
                number.parse::<Ipv6Addr>().ok()?;
                (host, if zone.bytes().all(is_of_a_name) { port.strip_prefix(':').or(Some(port)) } else { None })
            }
            None => {
                let (host, port) = place.split_once(':').unwrap_or((place, ""));
                let is_name = !host.is_empty() && host.bytes().all(is_of_a_name);
                (host, is_name.then_some(port))
            }
        };
        let port = match port? {
            "" => usual,
            digits if digits.bytes().all(|b| b.is_ascii_digit()) => digits.parse().ok().filter(|port| *port > 0)?,
            _ => return None,
        };
        Some(Self { scheme, login, host, port, path })
    }

    /// Returns the host where it is an address of the network already.
    pub(super) fn literal(&self) -> Option<IpAddr> {
        self.host.parse().ok()
    }

    /// Returns the same address with this place for its host: whoever opens it resolves no name.
    pub(super) fn at(&self, place: SocketAddr) -> String {
        format!("{}://{}{place}{}", self.scheme, self.login, self.path)
    }

    /// Returns whether it is behind TLS.
    pub(super) fn is_behind_tls(&self) -> bool {
        self.scheme.to_ascii_lowercase().ends_with('s')
    }

    /// Returns what is asked for: path and query, without a fragment.
    pub(super) fn resource(&self) -> String {
        let resource = self.path.split('#').next().unwrap_or_default();
        if resource.starts_with('/') { resource.to_owned() } else { format!("/{resource}") }
    }

    /// Returns host and port as they are asked for; the usual port is left out.
    pub(super) fn place(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.to_owned() };
        if usual_port(self.scheme) == Some(self.port) { host } else { format!("{host}:{}", self.port) }
    }

    /// Returns the address that the server of this one redirects to, with the login of this one; `None` for another
    /// host or port, but for the step from plain HTTP to TLS at their usual ports: other services of this machine may
    /// listen at its other ports.
    pub(super) fn redirected(&self, to: &str) -> Option<String> {
        let (scheme, login, place) = (self.scheme, self.login, self.place());
        let to = to.trim();
        if to.is_empty() || to.starts_with("//") {
            return None;
        }
        if !to.contains("://") {
            let path = match to.strip_prefix('/') {
                Some(path) => path.to_owned(),
                None => {
                    let resource = self.resource();
                    let path = resource.split('?').next().unwrap_or_default();
                    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder).trim_start_matches('/');
                    if folder.is_empty() { to.to_owned() } else { format!("{folder}/{to}") }
                }
            };
            return Some(format!("{scheme}://{login}{place}/{path}"));
        }
        let next = Address::of(to)?;
        let is_same_port = next.port == self.port && next.is_behind_tls() == self.is_behind_tls();
        let is_step_to_tls = (self.port, next.port) == (80, 443) && next.is_behind_tls() && !self.is_behind_tls();
        let is_http = next.scheme.to_ascii_lowercase().starts_with("http");
        let is_same = is_http && next.host.eq_ignore_ascii_case(self.host) && (is_same_port || is_step_to_tls);
        is_same.then(|| format!("{}://{login}{}{}", next.scheme, next.place(), next.path))
    }

    /// Returns whether the RTSP server at the other end of `stream` answers with a redirection. It is asked without
    /// credentials; a server that says nothing in time, and one behind TLS, is taken for one that does not.
    pub(super) fn redirects(&self, stream: &mut TcpStream, patience: Duration) -> bool {
        if !self.scheme.eq_ignore_ascii_case("rtsp") {
            return false;
        }
        let bracketed = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.to_owned() };
        let question = format!(
            "DESCRIBE rtsp://{bracketed}:{}{} RTSP/1.0\r\nAccept: application/sdp\r\nCSeq: 1\r\n\
             User-Agent: Lavf\r\n\r\n",
            self.port, self.path
        );
        let asked = stream
            .set_read_timeout(Some(patience))
            .and_then(|()| stream.set_write_timeout(Some(patience)))
            .and_then(|()| stream.write_all(question.as_bytes()));
        let mut head = [0; 12];
        // `RTSP/1.0 301`
        asked.is_ok() && stream.read_exact(&mut head).is_ok() && head[8..10] == *b" 3"
    }
}

/// Returns the port of a protocol where an address names none.
fn usual_port(scheme: &str) -> Option<u16> {
    match scheme.to_ascii_lowercase().as_str() {
        "rtsp" => Some(554),
        "rtsps" => Some(322),
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    }
}

fn is_of_a_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_as_ffmpeg_reads_it() {
        for (url, host, port, at) in [
            ("rtsp://user:p@w:1@cam.local/a?x=1", "cam.local", 554, "rtsp://user:p@w:1@10.0.0.7:9/a?x=1"),
            ("HTTP://10.0.0.5:8080", "10.0.0.5", 8080, "HTTP://10.0.0.7:9"),
            ("https://[fe80::1%eth0]:8443/a#b", "fe80::1%eth0", 8443, "https://10.0.0.7:9/a#b"),
            ("rtsps://[::1]?a", "::1", 322, "rtsps://10.0.0.7:9?a"),
        ] {
            let address = Address::of(url).unwrap();
            assert_eq!((address.host, address.port), (host, port), "{url}");
            assert_eq!(address.at("10.0.0.7:9".parse().unwrap()), at);
        }
    }

    #[test]
    fn a_redirection_stays_on_its_host_and_keeps_the_login() {
        let address = Address::of("http://user:pw@cam:8080/a/b?c=1").unwrap();
        assert_eq!((address.resource().as_str(), address.place().as_str()), ("/a/b?c=1", "cam:8080"));
        for (to, expected) in [
            ("/x?y", Some("http://user:pw@cam:8080/x?y")),
            ("x", Some("http://user:pw@cam:8080/a/x")),
            ("http://CAM:8080/x", Some("http://user:pw@CAM:8080/x")),
            ("http://cam/x", None),
            ("http://cam:9200/x", None),
            ("https://cam:8080/x", None),
            ("http://evil/x", None),
            ("http://cam@evil/x", None),
            ("//evil/x", None),
            ("rtsp://cam/x", None),
            ("file:///etc/passwd", None),
            ("", None),
        ] {
            assert_eq!(address.redirected(to).as_deref(), expected, "{to}");
        }
        let plain = Address::of("http://user:pw@cam/a").unwrap();
        assert_eq!(plain.redirected("https://cam/x").as_deref(), Some("https://user:pw@cam/x"));
        let safe = Address::of("https://user:pw@cam/a").unwrap();
        assert_eq!(safe.redirected("http://cam/x"), None);
        assert_eq!(Address::of("http://[::1]").unwrap().redirected("/x").unwrap(), "http://[::1]/x");
    }

    #[test]
    fn an_address_in_which_two_readers_see_different_hosts_is_none() {
        for url in [
            "rtmp://host/1",
            "rtsp://evil.example/@192.168.0.1/",
            "rtsp://evil.example?@192.168.0.1/",
            "rtsp://evil.example#@192.168.0.1/",
            "rtsp://evil.example\\@192.168.0.1/",
            "rtsp://192.168.0.1 evil.example/",
            "rtsp://192.168.0.1\t/",
            "rtsp://192.168.0.1:99x/",
            "rtsp://192.168.0.1:0/",
            "rtsp://192.168.0.1:70000/",
            "rtsp://192.168.0.1%2eexample/",
            "rtsp://[192.168.0.1]/",
            "rtsp://[fe80::1%a/b]/",
            "rtsp://[fe80::1]x/",
            "rtsp:///a",
            "rtsp://",
        ] {
            assert_eq!(Address::of(url), None, "{url}");
        }
    }
}
