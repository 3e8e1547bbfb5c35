//! Bounds the threads of FFmpeg's decoders.
//!
//! OpenCV opens each decoder with as many threads as the machine has cores, and up to release 4.6 nothing can tell it
//! otherwise: ten cameras on 16 cores had 160 threads, and each thread more is a picture more of delay. One thread
//! decodes 1080p H.264 at 25 frames a second in a fraction of a core.
//!
//! On Linux a library that is loaded is asked for a function before the libraries that it links. So this one has a
//! function of the name by which OpenCV opens decoders; it sets the number of threads, and calls FFmpeg's own.

use std::ffi::{c_char, c_int, c_void};
use std::sync::OnceLock;

/// How many pixels of a picture one thread decodes: 1080p. A 4K stream has four threads.
const PIXELS_PER_THREAD: u64 = 1920 * 1088;

type Open = unsafe extern "C" fn(*mut c_void, *const c_void, *mut c_void) -> c_int;
type GetSize = unsafe extern "C" fn(*mut c_void, *const c_char, c_int, *mut c_int, *mut c_int) -> c_int;
type Set = unsafe extern "C" fn(*mut c_void, *const c_char, i64, c_int) -> c_int;

/// FFmpeg's own functions.
struct Ffmpeg {
    open: Open,
    get_size: GetSize,
    set: Set,
}

/// What FFmpeg returns for what it cannot do: `AVERROR(ENOSYS)`.
const NOT_THERE: c_int = -libc::ENOSYS;

fn ffmpeg() -> Option<&'static Ffmpeg> {
    static FOUND: OnceLock<Option<Ffmpeg>> = OnceLock::new();
    let next = |name: &std::ffi::CStr| {
        // SAFETY: the name ends in a zero byte. The libraries stay loaded as long as this one, which links them.
        let found = unsafe { libc::dlsym(libc::RTLD_NEXT, name.as_ptr()) };
        (!found.is_null()).then_some(found)
    };
    FOUND
        .get_or_init(|| {
            let (open, get_size, set) =
                (next(c"avcodec_open2")?, next(c"av_opt_get_image_size")?, next(c"av_opt_set_int")?);
            // SAFETY: these are their types in every version of FFmpeg since 2012.
            unsafe {
                Some(Ffmpeg {
                    open: std::mem::transmute::<*mut c_void, Open>(open),
                    get_size: std::mem::transmute::<*mut c_void, GetSize>(get_size),
                    set: std::mem::transmute::<*mut c_void, Set>(set),
                })
            }
        })
        .as_ref()
}

/// Returns how many threads decode a picture of this size.
fn threads_for(width: c_int, height: c_int, cores: usize) -> i64 {
    let [width, height] = [width, height].map(|side| u64::try_from(side).unwrap_or(0));
    let wanted = (width * height).div_ceil(PIXELS_PER_THREAD);
    i64::try_from(wanted.clamp(1, cores.max(1) as u64)).unwrap_or(1)
}

/// Opens a decoder as FFmpeg does, with a bounded number of threads.
///
/// # Safety
/// As FFmpeg's function of this name.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn avcodec_open2(
    context: *mut c_void,
    codec: *const c_void,
    options: *mut c_void,
) -> c_int {
    super::guarded(NOT_THERE, || {
        let Some(ffmpeg) = ffmpeg() else { return NOT_THERE };
        if !context.is_null() {
            let (mut width, mut height) = (0, 0);
            let cores = std::thread::available_parallelism().map_or(1, usize::from);
            // SAFETY: the context is the caller's and not null, and the two numbers are written. What fails leaves
            // the decoder as OpenCV wants it.
            unsafe {
                (ffmpeg.get_size)(context, c"video_size".as_ptr(), 0, &raw mut width, &raw mut height);
                (ffmpeg.set)(context, c"threads".as_ptr(), threads_for(width, height, cores), 0);
            }
        }
        // SAFETY: the caller's promise.
        unsafe { (ffmpeg.open)(context, codec, options) }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_usual_camera_has_one_thread_and_none_has_more_than_there_are_cores() {
        for (width, height, threads) in [(0, 0, 1), (1280, 720, 1), (1920, 1080, 1), (2560, 1440, 2), (3840, 2160, 4)] {
            assert_eq!(threads_for(width, height, 64), threads, "{width}x{height}");
        }
        assert_eq!(threads_for(3840, 2160, 2), 2);
        assert_eq!(threads_for(c_int::MAX, c_int::MAX, 8), 8);
        assert_eq!(threads_for(-1, 5, 0), 1);
    }
}
