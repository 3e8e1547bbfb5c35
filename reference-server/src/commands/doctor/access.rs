//! Whether clients reach the server.

use std::io::{Read as _, Write as _};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use super::Finding;

/// How long a server that may be ours has for its answer.
const PATIENCE: Duration = Duration::from_secs(3);

/// Looks whether the server can listen at `host` and `port`, or does. `is_encrypted` is whether it speaks TLS.
pub(super) fn address(host: IpAddr, port: u16, is_encrypted: bool) -> Finding {
    let subject = "address";
    let address = SocketAddr::new(host, port);
    match TcpListener::bind(address) {
        Ok(_) if host.is_loopback() => {
            Finding::ok(subject, format!("{address} is free; only programs of this machine reach it"))
        }
        Ok(_) if is_encrypted => Finding::ok(subject, format!("{address} is free; the network reaches it over TLS")),
        Ok(_) => Finding::warning(
            subject,
            format!("{address} is free, and anybody on the network reaches it without encryption"),
            "start the server with --tls self-signed, or put a proxy with TLS before it: over plain HTTP browsers give \
             no camera to any other machine's page",
        ),
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {
            let reached = if host.is_unspecified() { SocketAddr::new([127, 0, 0, 1].into(), port) } else { address };
            if is_healthy(reached) {
                return Finding::ok(subject, format!("a server runs on {address} and is healthy"));
            }
            Finding::problem(
                subject,
                format!("another program listens on {address}"),
                "end it, or choose another with --port",
            )
        }
        Err(error) => {
            let advice = match error.kind() {
                std::io::ErrorKind::PermissionDenied => {
                    "ports below 1024 are the system's: choose one above with --port"
                }
                std::io::ErrorKind::AddrNotAvailable => "this machine has no such address: choose another with --host",
                _ => "choose others with --host and --port",
            };
            Finding::problem(subject, format!("cannot listen on {address}: {error}"), advice)
        }
    }
}

/// Whether the health check of the service is answered there, in plain text: a server that speaks TLS answers this
/// machine so too.
fn is_healthy(address: SocketAddr) -> bool {
    let ask = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.write_all(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        let mut answer = Vec::new();
        // A health check is a few hundred bytes; whatever else answers there may be endless.
        stream.take(4096).read_to_end(&mut answer)?;
        Ok(String::from_utf8_lossy(&answer).into_owned())
    };
    ask().is_ok_and(|answer| answer.starts_with("HTTP/1.1 200") && answer.contains("\"status\":\"healthy\""))
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;

    fn free_port() -> u16 {
        TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
    }

    #[test]
    fn an_address_is_free_open_to_the_network_or_somebody_elses() {
        let loopback = IpAddr::from([127, 0, 0, 1]);
        assert_eq!(address(loopback, free_port(), false).verdict, Verdict::Ok);
        let open = address(IpAddr::from([0, 0, 0, 0]), free_port(), false);
        assert!(open.verdict == Verdict::Warning && open.advice.unwrap().contains("TLS"));
        assert_eq!(address(IpAddr::from([0, 0, 0, 0]), free_port(), true).verdict, Verdict::Ok);
        let other = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = other.local_addr().unwrap().port();
        std::thread::spawn(move || {
            let (mut stream, _) = other.accept().unwrap();
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi").unwrap();
        });
        let taken = address(loopback, port, false);
        assert!(taken.verdict == Verdict::Problem && taken.advice.unwrap().contains("--port"));
        let nowhere = address(IpAddr::from([203, 0, 113, 7]), free_port(), false);
        assert!(nowhere.verdict == Verdict::Problem && nowhere.advice.unwrap().contains("--host"), "{}", nowhere.found);
    }

    #[test]
    fn a_server_of_ours_that_runs_there_is_no_problem() {
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = server.local_addr().unwrap().port();
        std::thread::spawn(move || {
            let (mut stream, _) = server.accept().unwrap();
            let mut asked = [0; 1024];
            let read = stream.read(&mut asked).unwrap();
            assert!(asked[..read].starts_with(b"GET /health"));
            stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{\"status\":\"healthy\"}").unwrap();
        });
        let finding = address(IpAddr::from([127, 0, 0, 1]), port, false);
        assert!(finding.verdict == Verdict::Ok && finding.found.contains("healthy"), "{finding:?}");
    }
}
