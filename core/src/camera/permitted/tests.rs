use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::PathBuf;

use super::*;
use crate::camera::{CameraHosts, OpenOptions, open};

fn source(text: &str) -> CameraSource {
    CameraSource::parse(text).unwrap()
}

fn access(hosts: &str) -> Arc<CameraAccess> {
    let hosts = hosts.split(',').filter(|text| !text.is_empty()).map(|text| text.parse().unwrap()).collect();
    Arc::new(CameraAccess::default().with_hosts(hosts))
}

#[test]
fn the_default_is_private_networks() {
    let access = Arc::new(CameraAccess::default());
    for text in [
        "rtsp://10.1.2.3/1",
        "rtsps://172.31.255.255:322/1",
        "http://user:pw@192.168.0.9:8080/video",
        "https://169.254.7.7/",
        "rtsp://[fd12::1]/1",
        "rtsp://[fe80::1]/1",
        "rtsp://[::ffff:192.168.0.9]/1",
        "3",
        "/dev/video2",
        "/dev/v4l/by-id/usb-cam",
    ] {
        assert!(source(text).permitted_by(&access).is_some(), "{text}");
    }
    for text in [
        "rtsp://8.8.8.8/1",
        "rtsp://127.0.0.1/1",
        "rtsp://localhost/1",
        "rtsp://[::1]/1",
        "rtsp://[::ffff:127.0.0.1]/1",
        "rtsp://0.0.0.0/1",
        "http://169.254.169.254/latest/meta-data",
        "http://[fd00:ec2::254]/",
        "http://[::ffff:169.254.169.254]/",
        "http://127.1/",
        "http://2130706433/",
        "http://0x7f.1/",
        "rtsp://172.32.0.1/1",
        "rtsp://8.8.8.8/@192.168.0.1/",
        "rtmp://192.168.0.9/1",
        "srt://192.168.0.9:1",
        "rtsp://no-such-host.invalid/1",
        "/dev/watchdog",
        "/dev/v4l/../../etc/passwd",
    ] {
        assert!(source(text).permitted_by(&access).is_none(), "{text}");
    }
}

#[test]
fn the_hosts_are_those_that_were_named() {
    let access = access("203.0.113.0/24,2001:db8::/32,LOCALHOST");
    for (text, expected) in [
        ("rtsp://203.0.113.200/1", true),
        ("rtsp://[2001:db8:1::1]/1", true),
        ("rtsp://localhost/1", true),
        ("rtsp://127.0.0.1/1", false),
        ("rtsp://192.168.0.1/1", false),
        ("rtsp://203.0.114.1/1", false),
    ] {
        assert_eq!(source(text).permitted_by(&access).is_some(), expected, "{text}");
    }
    assert!(source("rtsp://203.0.113.200/1").is_fixed_by(&access) && source("rtsp://localhost/1").is_fixed_by(&access));
    assert!(!source("rtsp://cam.local/1").is_fixed_by(&access) && !source("rtsp://127.1/1").is_fixed_by(&access));
    for wrong in ["", "10.0.0.0/33", "a b", "10.0.0", "http://a", "*", "cam/24"] {
        assert!(wrong.parse::<CameraHosts>().is_err(), "{wrong}");
    }
}

#[test]
fn an_absent_file_and_a_forbidden_one_are_told_alike() {
    let folder = tempfile::tempdir().unwrap();
    let (inside, outside) = (folder.path().join("clips"), folder.path().join("secret"));
    std::fs::create_dir_all(inside.join("class")).unwrap();
    std::fs::create_dir_all(&outside).unwrap();
    for file in [inside.join("a.avi"), outside.join("b.avi")] {
        std::fs::write(file, b"x").unwrap();
    }
    let text = |path: PathBuf| path.to_str().unwrap().to_owned();
    let access = Arc::new(CameraAccess::default().with_folders(vec![inside.clone()]));
    let permitted = |path: PathBuf| source(&text(path)).permitted_by(&access).is_some();
    assert!(permitted(inside.join("a.avi")) && permitted(inside.join("class")) && permitted(inside.clone()));
    assert!(!permitted(inside.join("none.avi")) && !permitted(outside.join("b.avi")) && !permitted(outside.clone()));
    assert!(!permitted(inside.join("../secret/b.avi")) && !permitted(folder.path().join("clips2")));
    assert!(!permitted("/etc/passwd".into()) && !permitted("/etc/no-such-file".into()));
    assert!(source(&text(inside.join("a.avi"))).permitted_by(&Arc::default()).is_none());
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(outside.join("b.avi"), inside.join("link.avi")).unwrap();
        assert!(!permitted(inside.join("link.avi")));
        // A file that becomes a link after it was permitted.
        let bound = source(&text(inside.join("a.avi"))).permitted_by(&access).unwrap();
        std::fs::remove_file(inside.join("a.avi")).unwrap();
        std::os::unix::fs::symlink(outside.join("b.avi"), inside.join("a.avi")).unwrap();
        let error = open(&bound, &OpenOptions::default()).err().unwrap().to_string();
        assert!(error.contains(NOT_PERMITTED), "{error}");
    }
}

/// A server that answers every connection with `answer`; its port, and what it was asked.
fn server(answer: &'static str) -> (u16, std::sync::mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (asked, questions) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut question = [0; 1024];
            let read = stream.read(&mut question).unwrap_or(0);
            let _ = stream.write_all(answer.as_bytes());
            if asked.send(String::from_utf8_lossy(&question[..read]).into_owned()).is_err() {
                return;
            }
        }
    });
    (port, questions)
}

#[test]
fn a_server_that_redirects_is_refused_and_sees_no_password() {
    let access = access("loopback");
    for (scheme, answer) in [
        ("http", "HTTP/1.1 302 Found\r\nLocation: http://10.0.0.1/\r\n\r\n"),
        ("rtsp", "RTSP/1.0 301 Moved Permanently\r\nLocation: rtsp://10.0.0.1/\r\n\r\n"),
    ] {
        let (port, questions) = server(answer);
        let bound = source(&format!("{scheme}://admin:S3CRET@127.0.0.1:{port}/live")).permitted_by(&access).unwrap();
        let error = open(&bound, &OpenOptions::default()).err().unwrap().to_string();
        assert!(error.contains("redirects") && !error.contains("S3CRET"), "{error}");
        let question = questions.recv_timeout(Duration::from_secs(5)).unwrap();
        assert!(question.contains("/live") && !question.contains("S3CRET"), "{question}");
    }
}

#[test]
fn a_host_that_is_permitted_is_opened_at_an_address_that_was_checked() {
    let (port, _questions) = server("HTTP/1.1 200 OK\r\n\r\n");
    let url = format!("http://user:pw@localhost:{port}/live");
    let opened = |hosts: &str| {
        let bound = CameraSource::bound(Kind::Url(url.clone()), access(hosts));
        bound.to_open(Duration::from_secs(2)).map(Cow::into_owned)
    };
    let pinned = opened("loopback").unwrap();
    assert_eq!(pinned.address(), Some(format!("http://user:pw@127.0.0.1:{port}/live").as_str()));
    assert_eq!(opened("localhost").unwrap().address(), Some(url.as_str()));
    // As when the name has another address by the time it is opened.
    let error = opened("private").unwrap_err().to_string();
    assert!(error.contains(NOT_PERMITTED), "{error}");
}
