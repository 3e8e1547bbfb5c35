//! Recordings that need no OpenCV: a folder of pictures, an MJPEG AVI file.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::avi::{AviReader, Chunk};
use super::frame_source::{FrameSource, camera_error};
use super::options::OpenOptions;
use super::recording_clock::RecordingClock;
use super::source::shown_path;
use crate::decode::{DecodeLimits, decode};
use crate::error::{Error, Result};
use crate::frame::Frame;

/// The pictures of a folder, in the order of their names.
///
/// ```
/// use std::path::Path;
///
/// use faceattend_core::camera::{FolderReplay, FrameSource as _, OpenOptions};
///
/// let mut replay = FolderReplay::open(Path::new("../examples/media/hopper"), &OpenOptions::default())?;
/// assert!(replay.next_frame()?.is_some());
/// # Ok::<(), faceattend_core::Error>(())
/// ```
#[derive(Debug)]
pub struct FolderReplay {
    pictures: std::vec::IntoIter<PathBuf>,
    clock: RecordingClock,
}

/// The pictures we decode, by the ends of their names.
const ENDINGS: [&str; 4] = ["jpg", "jpeg", "png", "webp"];

impl FolderReplay {
    /// Opens the JPEG, PNG and WebP pictures that lie in `folder` at the time of opening.
    ///
    /// # Errors
    /// [`Error::Io`] when it cannot be read, [`Error::Camera`] when it holds no picture.
    pub fn open(folder: &Path, options: &OpenOptions) -> Result<Self> {
        let unreadable = |source| Error::Io { action: "read", path: shown_path(folder), source };
        let mut pictures = Vec::new();
        for entry in std::fs::read_dir(folder).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
            if ENDINGS.iter().any(|known| known.eq_ignore_ascii_case(ending)) {
                pictures.push(path);
            }
        }
        if pictures.is_empty() {
            return Err(camera_error(&shown_path(folder).display(), "the folder holds no JPEG, PNG or WebP picture"));
        }
        pictures.sort();
        let clock = RecordingClock::new(options, options.folder_interval);
        Ok(Self { pictures: pictures.into_iter(), clock })
    }
}

impl FrameSource for FolderReplay {
    fn next_frame(&mut self) -> Result<Option<Frame<'static>>> {
        let Some(path) = self.pictures.next() else { return Ok(None) };
        let captured_at = self.clock.tick();
        let bytes =
            std::fs::read(&path).map_err(|source| Error::Io { action: "read", path: shown_path(&path), source })?;
        Ok(Some(decode(&bytes, &DecodeLimits::default())?.with_captured_at(captured_at)))
    }

    fn skip(&mut self) -> Result<bool> {
        self.clock.tick();
        Ok(self.pictures.next().is_some())
    }

    fn frame_interval(&self) -> Option<Duration> {
        Some(self.clock.interval)
    }
}

/// The frames of an MJPEG AVI file.
///
/// ```
/// use std::path::Path;
///
/// use faceattend_core::camera::{AviReplay, FrameSource as _, OpenOptions};
///
/// let mut replay = AviReplay::open(Path::new("../examples/media/class.avi"), &OpenOptions::default())?;
/// assert!(replay.next_frame()?.is_some());
/// # Ok::<(), faceattend_core::Error>(())
/// ```
pub struct AviReplay {
    reader: AviReader<BufReader<File>>,
    path: PathBuf,
    clock: RecordingClock,
}

impl std::fmt::Debug for AviReplay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "AviReplay({}, {:?})", shown_path(&self.path).display(), self.clock)
    }
}

impl AviReplay {
    /// Opens the MJPEG stream of the AVI file at `path`.
    ///
    /// # Errors
    /// [`Error::Io`] when it cannot be read, [`Error::Camera`] when it is no AVI file or has no such stream.
    pub fn open(path: &Path, options: &OpenOptions) -> Result<Self> {
        Self::open_if_mjpeg(path, options)?
            .ok_or_else(|| camera_error(&shown_path(path).display(), "no AVI file with an MJPEG stream"))
    }

    /// Opens it as [`open`](Self::open) does; returns `None` for a file that somebody else may be able to read.
    pub(super) fn open_if_mjpeg(path: &Path, options: &OpenOptions) -> Result<Option<Self>> {
        let unreadable = |source| Error::Io { action: "read", path: shown_path(path), source };
        let file = File::open(path).map_err(unreadable)?;
        let reader = AviReader::open(BufReader::new(file)).map_err(unreadable)?;
        Ok(reader.map(|reader| {
            let clock = RecordingClock::new(options, reader.interval());
            Self { reader, path: path.into(), clock }
        }))
    }
}

impl FrameSource for AviReplay {
    fn next_frame(&mut self) -> Result<Option<Frame<'static>>> {
        loop {
            let chunk = self.reader.next().map_err(|source| Error::Io {
                action: "read",
                path: shown_path(&self.path),
                source,
            })?;
            let Some(chunk) = chunk else { return Ok(None) };
            let captured_at = self.clock.tick();
            if let Chunk::Jpeg(bytes) = chunk {
                return Ok(Some(decode(&bytes, &DecodeLimits::default())?.with_captured_at(captured_at)));
            }
        }
    }

    fn skip(&mut self) -> Result<bool> {
        self.clock.tick();
        let passed = self.reader.next();
        let passed = passed.map_err(|source| Error::Io { action: "read", path: shown_path(&self.path), source })?;
        Ok(passed.is_some())
    }

    fn frame_interval(&self) -> Option<Duration> {
        Some(self.clock.interval)
    }
}
