//! The addresses of cameras, and how they are shown.
//!
//! - A password before the host, in a mistyped address too, and the value of a parameter that holds a secret, are shown
//!   nowhere: not in `Display`, not in `Debug`, not in an error.
//! - An address that is refused is not repeated.
//! - What is shown holds no control character.

use arbitrary::{Result, Unstructured};
use faceattend_core::CameraSource;

use crate::secret::{in_any_case, must_not_be_in, noise, value};

/// Reads `data` as an address, and addresses that are made of it.
pub fn check(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    match CameraSource::parse(&text) {
        Ok(source) => {
            let shown = source.to_string();
            assert_eq!(format!("{source:?}"), format!("CameraSource({shown})"));
            assert!(!shown.contains(char::is_control), "{shown:?}");
        }
        Err(error) => {
            let text = text.trim();
            assert!(text.len() < 4 || !error.to_string().contains(text), "{error} repeats {text}");
        }
    }
    let mut from = Unstructured::new(data);
    // An address needs more bytes than there are: nothing to try.
    let _ = with_a_password(&mut from).map(|address| is_hidden(&address));
    let _ = with_a_parameter(&mut from).map(|address| is_hidden(&address));
}

fn is_hidden(address: &str) {
    match CameraSource::parse(address) {
        Ok(source) => must_not_be_in(&format!("{source} {source:?}"), address),
        Err(error) => must_not_be_in(&format!("{error} {error:?}"), address),
    }
}

fn with_a_password(from: &mut Unstructured<'_>) -> Result<String> {
    let scheme = from.choose(&["rtsp", "http", "https", "rtsps", "srt", "RTSP", "gopher"])?;
    // As it should be written, and as people mistype it.
    let before_login = from.choose(&["://", ":/", ":", ":///"])?;
    let start = if from.ratio(1, 8)? { String::new() } else { format!("{scheme}{before_login}") };
    let (user, password, tail) = (noise(from)?, value(from, &[])?, noise(from)?);
    Ok(format!("{start}{user}:{password}@host{tail}"))
}

fn with_a_parameter(from: &mut Unstructured<'_>) -> Result<String> {
    const ENDS: &[char] = &['/', '?', '&', ';', '#'];
    let name =
        from.choose(&["password", "pwd", "user", "token", "access_key", "auth", "sig", "psw", "secret", "pw", "pin"])?;
    let name = in_any_case(from, name)?;
    let begin = from.choose(&["/?", "/?channel=1&", "/a/", ";", "/s#"])?;
    let (value, tail) = (value(from, ENDS)?, noise(from)?);
    Ok(format!("http://host{begin}{name}={value}{tail}"))
}

#[cfg(test)]
pub(crate) fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("device", b"/dev/video0".to_vec()),
        ("number", b"0".to_vec()),
        ("login", b"rtsp://user:p@s/s?w:d@host:554/a".to_vec()),
        ("raw-password", b"RTSP://admin:p#s/s?w@d@10.0.0.7:554/a".to_vec()),
        ("at-sign-in-the-path", b"rtsp://10.0.0.7:554/live@main".to_vec()),
        ("no-host", b"rtsp://".to_vec()),
        ("line-break", b"rtsp://host/a\r\nX: y".to_vec()),
        ("token", b"rtsp://token@host/a".to_vec()),
        ("parameters", b"http://host:8080/a?channel=1&pwd=s&x=2".to_vec()),
        ("parameters-in-the-path", b"rtsp://host/user=admin_password=tl_channel=1/x".to_vec()),
        ("no-stream", b"file:///etc/passwd".to_vec()),
        ("file", b"clip.avi".to_vec()),
    ]
}
