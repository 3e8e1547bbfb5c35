//! One client cannot take the places of all others.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use crate::attacked::{Attacked, CONNECTIONS, FLOODED, SOON, detail_of, heard, status_of};

/// Asks from another address of this machine.
#[cfg(target_os = "linux")]
fn from_elsewhere(server: SocketAddr, request: &[u8]) -> String {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let stream = runtime.block_on(async {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.2:0".parse().unwrap()).unwrap();
        socket.connect(server).await.unwrap().into_std().unwrap()
    });
    stream.set_nonblocking(false).unwrap();
    stream.set_read_timeout(Some(SOON)).unwrap();
    let mut stream = stream;
    stream.write_all(request).unwrap();
    heard(&mut stream)
}

#[cfg(target_os = "linux")]
#[test]
fn a_flood_of_unfinished_bodies_from_one_address_leaves_the_places_of_others() {
    let server = Attacked::start_with(FLOODED);
    let begun = Instant::now();
    let unfinished = b"POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
                       Content-Length: 1000\r\n\r\n{";
    // Twice as many as there are places.
    let mut flood: Vec<TcpStream> = (0..2 * CONNECTIONS).map(|_| server.connect()).collect();
    flood.iter_mut().for_each(|stream| {
        let _ = stream.write_all(unfinished);
    });
    for _ in 0..5 {
        server.is_well();
        let ready = server.say(b"GET /ready HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        assert_eq!(status_of(&ready), Some(200), "{ready}");
        let ask = b"GET /api/v1/ping HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
        let ping = from_elsewhere(server.address(), ask);
        assert_eq!(status_of(&ping), Some(200), "{ping}");
    }
    // The address itself has its quarter, and is told so for the rest.
    let answer = server.say(b"GET /api/v1/ping HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert_eq!(status_of(&answer), Some(429), "{answer}");
    assert_eq!(detail_of(&answer), Some("Too many requests, try again later".into()));
    assert!(answer.contains("retry-after: 1"), "{answer}");
    assert!(begun.elapsed() < Duration::from_secs(5), "the flood was over: {:?}", begun.elapsed());
    let mut held = 0;
    for stream in &mut flood {
        stream.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
        held +=
            usize::from(stream.read(&mut [0; 16]).is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock));
    }
    assert_eq!(held, CONNECTIONS / 4, "unfinished requests are still waited for");
    // They send a byte now and then: that is too slow, long before the time of a whole body is over.
    for stream in &mut flood {
        let _ = stream.write_all(b" ");
        stream.set_read_timeout(Some(SOON)).unwrap();
        let _ = heard(stream);
    }
    assert!(begun.elapsed() < SOON / 2, "{:?}", begun.elapsed());
    let answer = server.say(b"GET /api/v1/ping HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert_eq!(status_of(&answer), Some(200), "{answer}");
}
