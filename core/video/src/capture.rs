//! One camera, stream or video file that is open.

use std::ffi::{OsStr, c_void};
use std::ptr::NonNull;
use std::time::Duration;

use crate::abi::{Picture, Request, kind, status};
use crate::library::Library;

/// What to open.
#[derive(Debug, Clone, Copy)]
pub enum Source<'a> {
    /// A camera of this machine, by its number.
    Number(i32),
    /// A camera of this machine, by its path.
    Device(&'a OsStr),
    /// A stream or a video file, always FFmpeg's. OpenCV's own choice of a reader waits for 22 seconds on a server that
    /// accepts and says nothing.
    Stream(&'a OsStr),
}

/// How to open it.
#[derive(Debug, Clone, Copy)]
pub struct Wishes {
    /// How long opening a stream may take.
    pub open_timeout: Duration,
    /// How long a picture of a stream may take.
    pub read_timeout: Duration,
    /// Width and height that a camera of this machine is asked for. One that has no such size gives its own.
    pub size: Option<(u32, u32)>,
    /// The pictures per second that a camera of this machine is asked for.
    pub rate: Option<f64>,
}

/// A picture of a [`Capture`].
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// Rows without gaps.
    pub bytes: &'a [u8],
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// Whether the bytes are blue, green and red, eight bits each: what every camera gives that OpenCV has converted.
    pub is_bgr: bool,
}

/// OpenCV could not read. It has no words that would help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadError;

/// A camera, stream or video file that is open.
#[derive(Debug)]
pub struct Capture {
    library: Library,
    camera: NonNull<c_void>,
}

// SAFETY: the library's camera has no tie to the thread that opened it, and `&mut self` keeps its users apart.
unsafe impl Send for Capture {}

impl Capture {
    /// Opens `source`; `None` when OpenCV cannot.
    #[must_use]
    pub fn open(library: Library, source: Source<'_>, wishes: &Wishes) -> Option<Self> {
        let (kind, number, name) = match source {
            Source::Number(number) => (kind::NUMBER, number, OsStr::new("")),
            Source::Device(name) => (kind::DEVICE, 0, name),
            Source::Stream(name) => (kind::STREAM, 0, name),
        };
        let milliseconds = |time: Duration| i32::try_from(time.as_millis()).unwrap_or(i32::MAX);
        let (width, height) = wishes.size.unwrap_or_default();
        let name = name.as_encoded_bytes();
        let request = Request {
            kind,
            number,
            name: name.as_ptr(),
            name_length: name.len(),
            open_timeout: milliseconds(wishes.open_timeout),
            read_timeout: milliseconds(wishes.read_timeout),
            width,
            height,
            rate: wishes.rate.unwrap_or(0.0),
        };
        // SAFETY: the request and its name live until the call returns.
        let camera = unsafe { (library.table.open)(&raw const request) };
        NonNull::new(camera).map(|camera| Self { library, camera })
    }

    /// Reads the next picture; `None` when there is none: the recording has ended, or the camera gave none in time.
    ///
    /// # Errors
    /// [`ReadError`] when OpenCV says that it cannot read.
    pub fn read(&mut self) -> Result<Option<View<'_>>, ReadError> {
        let mut picture = Picture::none();
        // SAFETY: `camera` is open, `&mut self` is its only user, and `picture` is writable.
        let read = unsafe { (self.library.table.read)(self.camera.as_ptr(), &raw mut picture) };
        if !happened(read)? || picture.bytes.is_null() {
            return Ok(None);
        }
        // SAFETY: the library keeps these bytes until the next call on this camera, which needs `&mut self` again.
        let bytes = unsafe { std::slice::from_raw_parts(picture.bytes, picture.length) };
        let is_bgr = picture.channels == 3 && picture.bits == 8;
        Ok(Some(View { bytes, width: picture.width, height: picture.height, is_bgr }))
    }

    /// Passes over the next picture, without decoding it where the format allows; `false` when there is none.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn grab(&mut self) -> Result<bool, ReadError> {
        // SAFETY: `camera` is open, and `&mut self` is its only user.
        happened(unsafe { (self.library.table.grab)(self.camera.as_ptr()) })
    }

    /// Returns where in the recording the last picture is, in milliseconds; `None` where the container does not say.
    pub fn position(&mut self) -> Option<f64> {
        // SAFETY: as in `grab`.
        Some(unsafe { (self.library.table.position)(self.camera.as_ptr()) }).filter(|position| *position >= 0.0)
    }

    /// Returns the pictures per second that the container names, unchecked: some say 0, 1,000 or 90,000.
    pub fn rate(&mut self) -> f64 {
        // SAFETY: as in `grab`.
        unsafe { (self.library.table.rate)(self.camera.as_ptr()) }
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        // SAFETY: `camera` is open, and nobody has it after this.
        unsafe { (self.library.table.close)(self.camera.as_ptr()) }
    }
}

fn happened(said: i32) -> Result<bool, ReadError> {
    match said {
        status::PICTURE => Ok(true),
        status::NONE => Ok(false),
        _ => Err(ReadError),
    }
}
