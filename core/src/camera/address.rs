//! The address of a stream, taken apart as FFmpeg takes it apart: what is checked must be what is opened.

use std::io::{Read as _, Write as _};
use std::net::{IpAddr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

/// A stream of a camera that speaks RTSP or HTTP.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Address<'a> {
    scheme: &'a str,
    /// With its `@`; empty without one.
    login: &'a str,
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
        let usual = match scheme.to_ascii_lowercase().as_str() {
            "rtsp" => 554,
            "rtsps" => 322,
            "http" => 80,
            "https" => 443,
            _ => return None,
        };
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

    /// Returns whether the server at the other end of `stream` answers with a redirection. It is asked without
    /// credentials; a server that says nothing in time, and one behind TLS, is taken for one that does not.
    pub(super) fn redirects(&self, stream: &mut TcpStream, patience: Duration) -> bool {
        let bracketed = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.to_owned() };
        let (host, port, path) = (bracketed, self.port, self.path);
        let question = match self.scheme.to_ascii_lowercase().as_str() {
            "rtsp" => format!(
                "DESCRIBE rtsp://{host}:{port}{path} RTSP/1.0\r\nAccept: application/sdp\r\nCSeq: 1\r\n\
                 User-Agent: Lavf\r\n\r\n"
            ),
            "http" => {
                let path = path.split('#').next().filter(|path| path.starts_with('/')).unwrap_or("/");
                format!("HEAD {path} HTTP/1.1\r\nUser-Agent: Lavf\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n")
            }
            _ => return false,
        };
        let asked = stream
            .set_read_timeout(Some(patience))
            .and_then(|()| stream.set_write_timeout(Some(patience)))
            .and_then(|()| stream.write_all(question.as_bytes()));
        let mut head = [0; 12];
        // `HTTP/1.1 302`, `RTSP/1.0 301`
        asked.is_ok() && stream.read_exact(&mut head).is_ok() && head[8..10] == *b" 3"
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
