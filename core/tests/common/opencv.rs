//! Whether the tests of cameras can run here.

use faceattend_core::camera::OpenCvCapture;

/// Whether OpenCV can be loaded. Says so where it cannot, and the caller tests nothing: a machine may have none. Where
/// the environment names the library, it must be there.
#[allow(clippy::print_stderr, reason = "a test says what it leaves out; not every crate of tests minds")]
pub(crate) fn opencv_is_there() -> bool {
    let Err(error) = OpenCvCapture::library() else { return true };
    assert!(std::env::var_os("FACEATTEND_OPENCV_LIBRARY").is_none(), "{error}");
    eprintln!("skipped: {error}");
    false
}
