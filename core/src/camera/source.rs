//! The name of a camera or recording: parsed once, and shown without its credentials.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::access::CameraAccess;
use super::login;
use crate::error::{Error, Result};
use crate::redaction::{self, LoneUser};

/// A camera or recording. `Display` and `Debug` show it without credentials.
///
/// ```
/// use faceattend_core::CameraSource;
/// use faceattend_core::camera::Nature;
///
/// let camera = CameraSource::parse("rtsp://user:secret@10.0.0.7/stream")?;
/// assert_eq!(camera.nature(), Nature::Live);
/// // What it shows holds no credentials.
/// assert!(!camera.to_string().contains("secret"));
/// # Ok::<(), faceattend_core::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct CameraSource {
    kind: Kind,
    /// What it is bound to each time it is opened.
    access: Option<Arc<CameraAccess>>,
}

#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Device(u32),
    DevicePath(PathBuf),
    Url(String),
    File(PathBuf),
    Folder(PathBuf),
}

/// The nature of a source: with or without an end.
///
/// ```
/// use faceattend_core::CameraSource;
/// use faceattend_core::camera::Nature;
///
/// assert_eq!(CameraSource::parse("../examples/media/class.avi")?.nature(), Nature::Recording);
/// assert_eq!(CameraSource::device(0).nature(), Nature::Live);
/// # Ok::<(), faceattend_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Nature {
    /// A camera: it has no end, and when it fails it may come back.
    Live,
    /// A recording: it ends, and when it fails it stays broken.
    Recording,
}

/// The streams that OpenCV's FFmpeg reads and a camera speaks. A closed list: FFmpeg has protocols that read local
/// files or join other addresses, and a camera's address comes from a request.
const SCHEMES: [&str; 7] = ["rtsp", "rtsps", "http", "https", "rtmp", "rtmps", "srt"];

impl CameraSource {
    /// Reads the source that `text` names: the number of a camera (`0`), its device (`/dev/video0`), the address of
    /// a stream (`rtsp://user:password@host/path`), a video file, or a folder of pictures. A path need not exist yet.
    /// A password may hold `#`, `/`, `?` and `@` as they are: what stands before the last `@` is percent-encoded.
    ///
    /// ```
    /// use faceattend_core::CameraSource;
    /// use faceattend_core::camera::Nature;
    ///
    /// assert_eq!(CameraSource::parse("0")?, CameraSource::device(0));
    /// assert_eq!(CameraSource::parse("http://10.0.0.7/video")?.nature(), Nature::Live);
    /// # Ok::<(), faceattend_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for an empty text, for control characters, and for an address that is no stream of a
    /// camera or has no host.
    pub fn parse(text: &str) -> Result<Self> {
        if text.trim().is_empty() {
            return Err(Error::invalid_input("camera", "it is empty"));
        }
        // A line break would end a header or begin another line of a log.
        if text.contains(|c: char| c.is_control() || ['\u{2028}', '\u{2029}'].contains(&c)) {
            return Err(Error::invalid_input("camera", "it contains a line break or another control character"));
        }
        let text = text.trim();
        if text.bytes().all(|b| b.is_ascii_digit()) {
            return text.parse().map(Self::device).map_err(|_| Error::invalid_input("camera", "no such number"));
        }
        if let Some((scheme, rest)) = text.split_once("://") {
            let known = SCHEMES.iter().find(|known| known.eq_ignore_ascii_case(scheme));
            let Some(scheme) = known else {
                let reason = format!("its address must begin with one of {}", SCHEMES.join(", "));
                return Err(Error::invalid_input("camera", reason));
            };
            return Ok(Self::of(Kind::Url(login::encoded(scheme, rest)?)));
        }
        if let Some(number) = text.strip_prefix("/dev/video").and_then(|n| n.parse().ok()) {
            return Ok(Self::device(number));
        }
        let path = PathBuf::from(text);
        Ok(Self::of(if path.starts_with("/dev") {
            Kind::DevicePath(path)
        } else if path.is_dir() {
            Kind::Folder(path)
        } else {
            Kind::File(path)
        }))
    }

    /// Creates the source of the camera with this number.
    #[must_use]
    pub fn device(number: u32) -> Self {
        Self::of(Kind::Device(number))
    }

    /// Returns the source of this kind, bound to nothing.
    pub(super) fn of(kind: Kind) -> Self {
        Self { kind, access: None }
    }

    pub(super) fn kind(&self) -> &Kind {
        &self.kind
    }

    /// Returns the source of this kind, bound to `access` whenever it is opened.
    pub(super) fn bound(kind: Kind, access: Arc<CameraAccess>) -> Self {
        Self { kind, access: Some(access) }
    }

    /// Returns what it is bound to.
    pub(super) fn access(&self) -> Option<&Arc<CameraAccess>> {
        self.access.as_ref()
    }

    /// Returns whether it is a camera or a recording.
    #[must_use]
    pub fn nature(&self) -> Nature {
        match self.kind {
            Kind::Device(_) | Kind::DevicePath(_) | Kind::Url(_) => Nature::Live,
            Kind::File(_) | Kind::Folder(_) => Nature::Recording,
        }
    }

    pub(super) fn folder(&self) -> Option<&Path> {
        if let Kind::Folder(path) = &self.kind { Some(path) } else { None }
    }

    pub(super) fn file(&self) -> Option<&Path> {
        if let Kind::File(path) = &self.kind { Some(path) } else { None }
    }

    /// Returns the address of a stream, credentials and all.
    pub(super) fn address(&self) -> Option<&str> {
        if let Kind::Url(url) = &self.kind { Some(url) } else { None }
    }

    /// Returns the number of a camera, for OpenCV.
    pub(super) fn number(&self) -> Option<u32> {
        if let Kind::Device(number) = self.kind { Some(number) } else { None }
    }

    /// Returns the name by which OpenCV opens everything but a numbered camera, credentials and all. A relative path
    /// is made absolute, so that FFmpeg cannot take it for a protocol.
    pub(super) fn opencv_name(&self) -> std::ffi::OsString {
        match &self.kind {
            Kind::Device(number) => number.to_string().into(),
            Kind::Url(url) => url.into(),
            Kind::DevicePath(path) | Kind::File(path) | Kind::Folder(path) => {
                std::path::absolute(path).unwrap_or_else(|_| path.clone()).into()
            }
        }
    }

    pub(super) fn is_device_path(&self) -> bool {
        matches!(self.kind, Kind::DevicePath(_))
    }
}

impl fmt::Display for CameraSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Device(number) => write!(f, "{number}"),
            Kind::Url(url) => f.write_str(&redacted(url)),
            Kind::DevicePath(path) | Kind::File(path) | Kind::Folder(path) => {
                write!(f, "{}", shown_path(path).display())
            }
        }
    }
}

impl fmt::Debug for CameraSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CameraSource({self})")
    }
}

impl std::str::FromStr for CameraSource {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::parse(text)
    }
}

/// Returns the address of a camera as it may be shown: without what could be a credential, also where it is mistyped.
///
/// ```
/// use faceattend_core::camera::redacted;
///
/// assert_eq!(redacted("rtsp://admin:secret@10.0.0.7/1?pin=1"), "rtsp://admin:***@10.0.0.7/1?pin=***");
/// assert_eq!(redacted("rtsp:/admin:secret@10.0.0.7/1"), "***@10.0.0.7/1");
/// ```
#[must_use]
pub fn redacted(text: &str) -> String {
    redaction::redacted(text, LoneUser::Hidden)
}

/// Returns a path as errors may show it: it may be the mistyped address of a camera.
pub(super) fn shown_path(path: &Path) -> PathBuf {
    path.to_str().map_or_else(|| path.into(), |text| redacted(text).into())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn nature(text: &str) -> Nature {
        CameraSource::parse(text).unwrap().nature()
    }

    #[test]
    fn every_way_to_name_a_camera_is_understood() {
        assert_eq!(CameraSource::parse(" 0 ").unwrap(), CameraSource::device(0));
        assert_eq!(CameraSource::parse("/dev/video2").unwrap(), CameraSource::device(2));
        for live in ["/dev/v4l/by-id/usb-cam", "rtsp://host/1", "RTSP://host/1", "https://host/mjpeg"] {
            assert_eq!(nature(live), Nature::Live, "{live}");
        }
        let folder = tempfile::tempdir().unwrap();
        for recording in ["clip.avi", "./clip.mp4", folder.path().to_str().unwrap()] {
            assert_eq!(nature(recording), Nature::Recording, "{recording}");
        }
        assert!(CameraSource::parse(folder.path().to_str().unwrap()).unwrap().folder().is_some());
    }

    #[test]
    fn the_signs_of_a_password_and_the_case_of_a_scheme_do_not_change_the_host() {
        for text in ["rtsp://admin:p#s/s?@10.0.0.7:554/a", "RTSP://admin:p#s/s?@10.0.0.7:554/a"] {
            let camera = CameraSource::parse(text).unwrap();
            assert_eq!(camera.address(), Some("rtsp://admin:p%23s%2Fs%3F@10.0.0.7:554/a"));
            assert_eq!(camera.to_string(), "rtsp://admin:***@10.0.0.7:554/a");
        }
    }

    #[test]
    fn control_characters_and_addresses_without_a_host_are_refused() {
        for bad in [
            "rtsp://host/a\r\nX: y",
            "rtsp://host/a\n",
            "0\n",
            "clip\t.avi",
            "a\u{7f}",
            "a\u{85}b",
            "a\u{2028}b",
            "rtsp://",
            "RTSP://",
            "http:///video",
            "rtsp://user:pw@",
            "rtsp://:554/1",
        ] {
            assert!(CameraSource::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn what_no_camera_speaks_is_refused_without_being_repeated() {
        for bad in ["", "  ", "file:///etc/passwd", "concat://a|b", "gopher://u:SECRET@h", "99999999999", "a\0b"] {
            let error = CameraSource::parse(bad).unwrap_err().to_string();
            assert!(!error.contains("SECRET") && !error.contains("passwd"), "{error}");
        }
    }

    #[test]
    fn credentials_are_not_shown() {
        for (text, shown) in [
            ("rtsp://user:pw@host:554/a", "rtsp://user:***@host:554/a"),
            ("rtsp://user:p@s/s?w:d@host/a", "rtsp://user:***@host/a"),
            ("rtsp://token@host/a", "rtsp://***@host/a"),
            ("http://host:8080/a?channel=1&pwd=s&x=2", "http://host:8080/a?channel=1&pwd=***&x=2"),
            ("rtsp://host/user=admin_password=tl_channel=1/x", "rtsp://host/user=***/x"),
            ("rtsp://host:554/stream?channel=1", "rtsp://host:554/stream?channel=1"),
        ] {
            let source = CameraSource::parse(text).unwrap();
            assert_eq!(source.to_string(), shown);
            assert_eq!(format!("{source:?}"), format!("CameraSource({shown})"));
        }
    }

    proptest! {
        #[test]
        fn no_password_survives(user in "[a-z]{0,5}", noise in "[a-z@/?:#&=]{0,6}", tail in "[a-z/?&=]{0,8}") {
            let source = CameraSource::parse(&format!("rtsp://{user}:{noise}S3CRET{noise}@host/{tail}")).unwrap();
            prop_assert!(!source.to_string().contains("S3CRET"), "{source}");
        }
    }
}
