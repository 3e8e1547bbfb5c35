//! Asks whether a stream's server is reachable while its camera waits to be opened again. A camera is therefore back
//! soon after its server is, however long the server was away.
//!
//! The probe sends nothing that needs credentials, so a wrong password is tried no more often than the pauses allow.

use std::io::{Read as _, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::Duration;

use super::login;
use super::source::CameraSource;

/// A stream's server.
pub(super) struct Probe {
    host: String,
    /// The question to the server; none for servers behind TLS, where an open port is enough.
    question: Option<String>,
    /// The source where it is bound to an access, which says where to connect.
    bound: Option<CameraSource>,
}

impl Probe {
    /// Creates the probe of this source; `None` for one that does not speak TCP.
    pub(super) fn of_source(source: &CameraSource) -> Option<Self> {
        let probe = Self::of(source.address()?)?;
        Some(Self { bound: source.access().map(|_| source.clone()), ..probe })
    }

    /// Creates the probe of this address; `None` for one that does not speak TCP.
    pub(super) fn of(url: &str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        let (_, place) = login::split(rest);
        let authority = place.split(['/', '?', '#']).next().filter(|authority| !authority.is_empty())?;
        let scheme = scheme.to_ascii_lowercase();
        let port = match scheme.as_str() {
            "rtsp" => 554,
            "rtsps" => 322,
            "http" => 80,
            "https" => 443,
            "rtmp" => 1935,
            "rtmps" => 443,
            _ => return None,
        };
        let after_host = authority.rsplit_once(']').map_or(authority, |(_, after)| after);
        let host = if after_host.contains(':') { authority.to_owned() } else { format!("{authority}:{port}") };
        let question = match scheme.as_str() {
            "rtsp" => Some(format!("OPTIONS rtsp://{host}/ RTSP/1.0\r\nCSeq: 1\r\n\r\n")),
            "http" => Some(format!("HEAD / HTTP/1.0\r\nHost: {host}\r\n\r\n")),
            _ => None,
        };
        Some(Self { host, question, bound: None })
    }

    /// Returns whether it answers within `patience`, whatever it says.
    pub(super) fn answers(&self, patience: Duration) -> bool {
        let addresses = match &self.bound {
            Some(source) => source.places(),
            None => self.host.to_socket_addrs().ok().map(Iterator::collect),
        };
        addresses.unwrap_or_default().into_iter().take(2).any(|address| {
            let Ok(mut stream) = TcpStream::connect_timeout(&address, patience) else { return false };
            let Some(question) = &self.question else { return true };
            let asked = stream
                .set_read_timeout(Some(patience))
                .and_then(|()| stream.set_write_timeout(Some(patience)))
                .and_then(|()| stream.write_all(question.as_bytes()));
            asked.is_ok() && stream.read(&mut [0; 64]).is_ok_and(|read| read > 0)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn the_server_is_found_behind_any_password() {
        for (url, host) in [
            ("rtsp://user:p@ss/w@cam.local/a", "cam.local:554"),
            ("RTSP://10.0.0.5:8554/a?x=1", "10.0.0.5:8554"),
            ("http://[fe80::1]/mjpeg", "[fe80::1]:80"),
            ("https://[fe80::1]:8443", "[fe80::1]:8443"),
        ] {
            assert_eq!(Probe::of(url).unwrap().host, host);
        }
        assert!(Probe::of("srt://host:1").is_none() && Probe::of("rtsp:///a").is_none());
    }

    #[test]
    fn a_server_that_accepts_and_says_nothing_is_not_there() {
        let patience = Duration::from_millis(100);
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let probe = Probe::of(&format!("rtsp://user:pw@{}/a", server.local_addr().unwrap())).unwrap();
        assert!(!probe.answers(patience));
        let answering = std::thread::spawn(move || {
            let mut question = [0; 256];
            // The first is the one that was given up.
            for stream in server.incoming().take(2) {
                let mut stream = stream.unwrap();
                let read = stream.read(&mut question).unwrap_or(0);
                let _ = stream.write_all(b"RTSP/1.0 200 OK\r\n");
                let asked = String::from_utf8_lossy(&question[..read]).into_owned();
                assert!(asked.starts_with("OPTIONS") && !asked.contains("pw"), "{asked}");
            }
        });
        assert!(probe.answers(Duration::from_secs(5)));
        answering.join().unwrap();
        assert!(!probe.answers(patience), "it is gone");
    }
}
