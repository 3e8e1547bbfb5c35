#![doc = include_str!("../README.md")]
#![expect(unsafe_code, reason = "its functions are called through pointers, by what loads it")]

mod camera;
#[cfg(target_os = "linux")]
mod threads;

use std::ffi::{CString, c_char, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;

use faceattend_video::abi::{ABI, Picture, Request, Table, status};
use opencv::videoio::VideoCaptureAPIs;

use camera::Camera;

static TABLE: Table = Table { abi: ABI, version, reads_streams, open, read, grab, position, rate, close };

/// Returns the functions of this library.
#[must_use]
pub fn table() -> &'static Table {
    &TABLE
}

/// Returns the functions of this library, to what has loaded it.
#[unsafe(no_mangle)]
pub extern "C" fn faceattend_opencv_table() -> *const Table {
    &raw const TABLE
}

/// Calls `work` and returns `otherwise` when it panics: a panic must not leave by a C function.
fn guarded<T>(otherwise: T, work: impl FnOnce() -> T) -> T {
    // Nothing that the closure has touched is used again but to be closed.
    catch_unwind(AssertUnwindSafe(work)).unwrap_or(otherwise)
}

extern "C" fn version() -> *const c_char {
    static VERSION: OnceLock<CString> = OnceLock::new();
    guarded(std::ptr::null(), || {
        VERSION
            .get_or_init(|| {
                let version = opencv::core::get_version_string().unwrap_or_else(|_| "unknown".to_owned());
                CString::new(version).unwrap_or_default()
            })
            .as_ptr()
    })
}

extern "C" fn reads_streams() -> i32 {
    guarded(0, || i32::from(opencv::videoio::has_backend(VideoCaptureAPIs::CAP_FFMPEG).unwrap_or(false)))
}

unsafe extern "C" fn open(request: *const Request) -> *mut c_void {
    guarded(std::ptr::null_mut(), || {
        // SAFETY: the caller's promise.
        let request = unsafe { &*request };
        let name = if request.name_length == 0 {
            &[]
        } else {
            // SAFETY: the caller's promise.
            unsafe { std::slice::from_raw_parts(request.name, request.name_length) }
        };
        match Camera::open(request, name) {
            Some(camera) => Box::into_raw(Box::new(camera)).cast(),
            None => std::ptr::null_mut(),
        }
    })
}

unsafe extern "C" fn read(camera: *mut c_void, picture: *mut Picture) -> i32 {
    guarded(status::FAILED, || {
        // SAFETY: the caller's promise: `open` made it, and nobody else uses it now.
        let camera = unsafe { &mut *camera.cast::<Camera>() };
        match camera.read() {
            Ok(Some(read)) => {
                // SAFETY: the caller's promise.
                unsafe { picture.write(read) };
                status::PICTURE
            }
            Ok(None) => status::NONE,
            Err(_) => status::FAILED,
        }
    })
}

unsafe extern "C" fn grab(camera: *mut c_void) -> i32 {
    guarded(status::FAILED, || {
        // SAFETY: as in `read`.
        match unsafe { &mut *camera.cast::<Camera>() }.grab() {
            Ok(true) => status::PICTURE,
            Ok(false) => status::NONE,
            Err(_) => status::FAILED,
        }
    })
}

unsafe extern "C" fn position(camera: *mut c_void) -> f64 {
    // SAFETY: as in `read`.
    guarded(-1.0, || unsafe { &*camera.cast::<Camera>() }.position())
}

unsafe extern "C" fn rate(camera: *mut c_void) -> f64 {
    // SAFETY: as in `read`.
    guarded(0.0, || unsafe { &*camera.cast::<Camera>() }.rate())
}

unsafe extern "C" fn close(camera: *mut c_void) {
    // SAFETY: `open` made it, and the caller does not use it again.
    guarded((), || drop(unsafe { Box::from_raw(camera.cast::<Camera>()) }));
}
