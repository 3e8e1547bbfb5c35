//! One suite over every source of recorded frames: each test takes the source, opened on the same five frames at 25 a
//! second with the first at [`STARTS_AT`].

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;

use super::super::avi::tests::file as avi;
use super::super::*;
use super::{COLORS, SIZE, color_of, jpeg, jpegs, opencv_is_there};
use crate::error::{ErrorKind, Result};

const STARTS_AT: &str = "2026-03-02T08:00:00Z";

fn options() -> OpenOptions {
    OpenOptions::default().with_recording_starts_at(STARTS_AT.parse().unwrap())
}

macro_rules! contract {
    ($module:ident, $open:expr) => {
        mod $module {
            use super::*;

            #[test]
            fn frames_come_whole_and_in_order() {
                let (mut source, _alive) = $open;
                super::frames_come_whole_and_in_order(&mut source);
            }

            #[test]
            fn capture_times_follow_the_recordings_own_pace() {
                let (mut source, _alive) = $open;
                super::capture_times_follow_the_recordings_own_pace(&mut source);
            }

            #[test]
            fn the_end_stays_the_end() {
                let (mut source, _alive) = $open;
                super::the_end_stays_the_end(&mut source);
            }

            #[test]
            fn a_source_can_move_to_another_thread() {
                let (mut source, _alive) = $open;
                let first = std::thread::spawn(move || source.next_frame().unwrap().unwrap()).join().unwrap();
                assert_eq!(color_of(&first), 0);
            }
        }
    };
}

fn frames_come_whole_and_in_order(source: &mut dyn FrameSource) {
    let frames: Vec<_> = std::iter::from_fn(|| source.next_frame().unwrap()).collect();
    assert_eq!(frames.iter().map(color_of).collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
    assert!(frames.iter().all(|f| (f.width(), f.height()) == (SIZE.0.into(), SIZE.1.into())));
}

fn capture_times_follow_the_recordings_own_pace(source: &mut dyn FrameSource) {
    assert_eq!(source.frame_interval(), Some(Duration::from_millis(40)));
    let first: Timestamp = STARTS_AT.parse().unwrap();
    for n in 0..5 {
        let captured_at = source.next_frame().unwrap().unwrap().captured_at().unwrap();
        assert_eq!(captured_at.duration_since(first).as_millis(), 40 * n);
    }
}

fn the_end_stays_the_end(source: &mut dyn FrameSource) {
    for _ in COLORS {
        assert!(source.next_frame().unwrap().is_some());
    }
    assert!(source.next_frame().unwrap().is_none());
    assert!(source.next_frame().unwrap().is_none());
}

fn folder_of_frames() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    // Written in another order than their names'.
    for (n, bytes) in jpegs().into_iter().enumerate().rev() {
        std::fs::write(folder.path().join(format!("{n}.JPG")), bytes).unwrap();
    }
    std::fs::write(folder.path().join("notes.txt"), "no picture").unwrap();
    folder
}

fn avi_file() -> (PathBuf, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("five.avi");
    std::fs::write(&path, avi(&jpegs(), SIZE, 25, b"00dc")).unwrap();
    (path, folder)
}

contract!(folder, {
    let folder = folder_of_frames();
    (FolderReplay::open(folder.path(), &options()).unwrap(), folder)
});

contract!(mjpeg_avi, {
    let (path, folder) = avi_file();
    (AviReplay::open(&path, &options()).unwrap(), folder)
});

contract!(opencv_capture, {
    if !opencv_is_there() {
        return;
    }
    let (path, folder) = avi_file();
    let source = CameraSource::parse(path.to_str().unwrap()).unwrap();
    (OpenCvCapture::open(&source, &options()).unwrap(), folder)
});

fn open_path(path: &Path) -> Result<Box<dyn FrameSource>> {
    open(&CameraSource::parse(path.to_str().unwrap()).unwrap(), &options())
}

#[test]
fn a_folder_and_a_file_open_by_their_names() {
    let folder = folder_of_frames();
    assert!(open_path(folder.path()).unwrap().next_frame().unwrap().is_some());
    let (path, _folder) = avi_file();
    assert!(open_path(&path).unwrap().next_frame().unwrap().is_some());
}

#[test]
fn what_holds_no_frames_is_an_error_that_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().join("empty.avi");
    std::fs::write(&empty, "").unwrap();
    for (path, kinds) in [
        (folder.path().join("missing.avi"), [ErrorKind::Io, ErrorKind::Io]),
        // Without OpenCV the state of the machine is at fault: another could still read it.
        (empty, [ErrorKind::Camera, ErrorKind::State]),
    ] {
        let error = open_path(&path).err().unwrap();
        assert!(kinds.contains(&error.kind()), "{error}");
        assert!(error.to_string().contains(path.file_name().unwrap().to_str().unwrap()), "{error}");
    }
    let no_pictures = tempfile::tempdir().unwrap();
    std::fs::write(no_pictures.path().join("a.txt"), "x").unwrap();
    assert_eq!(open_path(no_pictures.path()).err().unwrap().kind(), ErrorKind::Camera);
}

#[test]
fn a_damaged_picture_is_passed_over_at_its_place() {
    let mut pictures = jpegs();
    pictures[1].truncate(40);
    pictures[2] = b"no JPEG at all".to_vec();
    pictures[3].clear();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.avi");
    std::fs::write(&path, avi(&pictures, SIZE, 25, b"01dc")).unwrap();
    let mut source = AviReplay::open(&path, &options()).unwrap();
    let seen: Vec<_> = (0..4)
        .map(|_| source.next_frame().map(|f| f.map(|f| (color_of(&f), f.captured_at().unwrap().subsec_millisecond()))))
        .collect();
    assert!(matches!(&seen[0], Ok(Some((0, 0)))));
    for damaged in &seen[1..3] {
        assert_eq!(damaged.as_ref().unwrap_err().kind(), ErrorKind::InvalidImage);
    }
    // The empty chunk is a frame that the recorder left out: no error, but its time passes.
    assert!(matches!(&seen[3], Ok(Some((4, 160)))), "{:?}", seen[3]);
    assert!(source.next_frame().unwrap().is_none());
}

#[test]
fn a_picture_that_would_fill_the_memory_is_refused() {
    let mut bomb = jpeg(COLORS[0]);
    // The sides in the frame header: 65,000 by 65,000.
    let header = bomb.windows(2).position(|w| w == [0xff, 0xc0]).unwrap();
    bomb[header + 5..header + 9].copy_from_slice(&[0xfd, 0xe8, 0xfd, 0xe8]);
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.jpg"), bomb).unwrap();
    let mut source = FolderReplay::open(folder.path(), &options()).unwrap();
    assert_eq!(source.next_frame().unwrap_err().kind(), ErrorKind::InvalidImage);
    assert!(source.next_frame().unwrap().is_none());
}

#[test]
fn a_dead_stream_is_given_up_in_time_and_its_password_is_not_told() {
    if !opencv_is_there() {
        return;
    }
    // Accepts and says nothing.
    let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = server.local_addr().unwrap();
    let source = CameraSource::parse(&format!("rtsp://admin:S3CRET@{address}/live")).unwrap();
    let short = Duration::from_millis(500);
    let begun = std::time::Instant::now();
    let error = open(&source, &options().with_timeouts(short, short)).err().unwrap();
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    assert_eq!(error.kind(), ErrorKind::Camera);
    assert!(error.to_string().contains("admin:***@") && !format!("{error:?}").contains("S3CRET"), "{error:?}");
}
