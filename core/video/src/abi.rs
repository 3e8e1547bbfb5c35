//! What the library and its user agree on: plain data and functions of the C calling convention, because the two are
//! compiled apart, by compilers that may differ.

use std::ffi::{c_char, c_void};

/// The version of the agreement. A library that has another one is not used.
pub const ABI: u32 = 1;

/// The name of the function that returns the [`Table`].
pub const ENTRY: &str = "faceattend_opencv_table";

/// The type of the function [`ENTRY`].
pub type Entry = unsafe extern "C" fn() -> *const Table;

/// The functions of the library. The version comes first and never moves.
#[derive(Debug)]
#[repr(C)]
pub struct Table {
    /// [`ABI`] of the library.
    pub abi: u32,
    /// Returns OpenCV's version, a static text that ends in a zero byte.
    pub version: extern "C" fn() -> *const c_char,
    /// Returns 1 where OpenCV was made with FFmpeg, which reads streams and files; otherwise 0.
    pub reads_streams: extern "C" fn() -> i32,
    /// Opens a camera; null when it does not open.
    ///
    /// # Safety
    /// The request and the name in it are readable during the call.
    pub open: unsafe extern "C" fn(request: *const Request) -> *mut c_void,
    /// Reads the next picture and returns a [`status`]. What `picture` points at then lives until the next call.
    ///
    /// # Safety
    /// `camera` comes from `open`, is not closed, and no other call uses it at the same time; `picture` is writable.
    pub read: unsafe extern "C" fn(camera: *mut c_void, picture: *mut Picture) -> i32,
    /// Passes over the next picture and returns a [`status`].
    ///
    /// # Safety
    /// As `read`.
    pub grab: unsafe extern "C" fn(camera: *mut c_void) -> i32,
    /// Returns where in the recording the last picture is, in milliseconds; negative where that is not known.
    ///
    /// # Safety
    /// As `read`.
    pub position: unsafe extern "C" fn(camera: *mut c_void) -> f64,
    /// Returns the pictures per second that the container or the driver names; 0 where none does.
    ///
    /// # Safety
    /// As `read`.
    pub rate: unsafe extern "C" fn(camera: *mut c_void) -> f64,
    /// Closes the camera and frees it.
    ///
    /// # Safety
    /// As `read`; the camera is not used again.
    pub close: unsafe extern "C" fn(camera: *mut c_void),
}

/// What to open.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct Request {
    /// One of [`kind`].
    pub kind: u32,
    /// The number of a camera of the machine, for [`kind::NUMBER`].
    pub number: i32,
    /// The path or the address, for the other kinds: bytes of the system's encoding, of UTF-8 outside Unix.
    pub name: *const u8,
    /// How many bytes `name` has.
    pub name_length: usize,
    /// How long opening a stream may take, in milliseconds.
    pub open_timeout: i32,
    /// How long a picture of a stream may take, in milliseconds.
    pub read_timeout: i32,
    /// The width that a camera of the machine is asked for, in pixels; 0 for its own.
    pub width: u32,
    /// The height that a camera of the machine is asked for, in pixels; 0 for its own.
    pub height: u32,
    /// The pictures per second that a camera of the machine is asked for; 0 for its own.
    pub rate: f64,
}

/// The kinds of [`Request`].
pub mod kind {
    /// A camera of this machine, by its number.
    pub const NUMBER: u32 = 0;
    /// A camera of this machine, by its path.
    pub const DEVICE: u32 = 1;
    /// A stream or a video file.
    pub const STREAM: u32 = 2;
}

/// The last picture of a camera: rows of blue, green and red without gaps, when it is 3 `channels` of `bits` 8.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct Picture {
    /// The first byte.
    pub bytes: *const u8,
    /// How many bytes there are.
    pub length: usize,
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// Values for each pixel.
    pub channels: u32,
    /// Bits for each value, of an unsigned number; 0 for any other kind.
    pub bits: u32,
}

impl Picture {
    /// Returns no picture, which a call to read then fills.
    #[must_use]
    pub const fn none() -> Self {
        Self { bytes: std::ptr::null(), length: 0, width: 0, height: 0, channels: 0, bits: 0 }
    }
}

/// What reading and grabbing return.
pub mod status {
    /// There was a picture.
    pub const PICTURE: i32 = 1;
    /// There was none: the recording has ended, or the camera gave none in time.
    pub const NONE: i32 = 0;
    /// OpenCV could not read.
    pub const FAILED: i32 = -1;
}
