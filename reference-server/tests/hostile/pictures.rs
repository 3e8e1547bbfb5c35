//! Pictures that are small on the line and large in memory share a bounded amount of it.

use std::io::{Cursor, Write as _};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use image::{DynamicImage, ImageFormat};

use crate::attacked::{Attacked, PICTURE_MEMORY, PICTURES, SMALL_MEMORY, heard, status_of};

/// A black PNG with 16 bits in each of four channels, which takes 11 bytes a pixel while it is decoded.
fn deep(side: u32) -> String {
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::new_rgba16(side, side).write_to(&mut bytes, ImageFormat::Png).unwrap();
    STANDARD.encode(bytes.into_inner())
}

#[cfg(target_os = "linux")]
#[test]
fn many_large_pictures_at_once_take_the_memory_of_one() {
    let server = Attacked::start_with(SMALL_MEMORY);
    let request = |picture: &str| {
        let body = format!("{{\"image_data\": \"{picture}\"}}");
        format!(
            "POST /api/v1/face/detect HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            server.token,
            body.len()
        )
    };
    // 3,500 x 3,500 x 11 = 135 MB of the 143 MB. Its buffers are too large for the allocator to keep.
    let large = request(&deep(3500));
    assert!(large.len() < 1 << 20, "{} bytes", large.len());
    let small = request(&deep(64));
    let before = server.kilobytes("VmHWM:");
    let mut open: Vec<_> = (0..PICTURES).map(|_| server.connect()).collect();
    open.iter_mut().for_each(|stream| stream.write_all(large.as_bytes()).unwrap());
    // The usual pictures are answered meanwhile.
    let answer = server.say(small.as_bytes());
    assert_eq!(status_of(&answer), Some(200), "{answer}");
    let answers: Vec<_> = open.iter_mut().map(|stream| status_of(&heard(stream))).collect();
    assert!(answers.iter().all(|status| matches!(status, Some(200 | 503))), "{answers:?}");
    assert!(answers.contains(&Some(200)), "{answers:?}");
    let peak = server.kilobytes("VmHWM:") - before;
    println!("{PICTURES} pictures of 135 MB each took {peak} KB: {answers:?}");
    assert!(peak * 1024 < PICTURE_MEMORY + (64 << 20), "{peak} KB");
    // One that needs more than there is for all is refused by its header.
    let answer = server.say(request(&deep(3700)).as_bytes());
    assert_eq!(status_of(&answer), Some(400), "{answer}");
    server.is_well();
}
