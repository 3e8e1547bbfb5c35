//! A network camera: MJPEG over HTTP, as many cameras speak it, of one person who stands before it.

use std::io::{Cursor, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use image::codecs::jpeg::JpegEncoder;

pub struct NetworkCamera {
    pub port: u16,
    watching: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
}

impl NetworkCamera {
    pub fn start(pose: [u8; 3], identity: u8) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (watching, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let camera = Self { port, watching: Arc::clone(&watching), most: Arc::clone(&most) };
        std::thread::spawn(move || {
            for link in listener.incoming().flatten() {
                let (watching, most) = (Arc::clone(&watching), Arc::clone(&most));
                std::thread::spawn(move || {
                    let mut head = [0; 2048];
                    let mut link = link;
                    // Whoever only looks whether somebody answers asks for nothing.
                    if !link.read(&mut head).is_ok_and(|read| head[..read].starts_with(b"GET ")) {
                        return;
                    }
                    most.fetch_max(watching.fetch_add(1, SeqCst) + 1, SeqCst);
                    let _ = show(&mut link, pose, identity);
                    watching.fetch_sub(1, SeqCst);
                });
            }
        });
        camera
    }

    /// How many watch it now.
    pub fn watchers(&self) -> usize {
        self.watching.load(SeqCst)
    }

    /// How many have watched it at one time.
    pub fn most_watchers(&self) -> usize {
        self.most.load(SeqCst)
    }
}

/// Ten pictures a second until the other side has gone.
fn show(link: &mut TcpStream, pose: [u8; 3], identity: u8) -> std::io::Result<()> {
    link.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=frame\r\n\r\n")?;
    for number in (0..=u8::MAX).cycle() {
        let picture = image::RgbImage::from_fn(64, 64, |x, y| {
            image::Rgb(match (x, y) {
                (..16, _) => pose,
                (16..32, _) => [0, identity * 16, 0],
                // Something moves.
                _ => [number.wrapping_mul(40), 90, 90],
            })
        });
        let mut jpeg = Cursor::new(Vec::new());
        JpegEncoder::new_with_quality(&mut jpeg, 95).encode_image(&picture).map_err(std::io::Error::other)?;
        let jpeg = jpeg.into_inner();
        write!(link, "--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {}\r\n\r\n", jpeg.len())?;
        link.write_all(&jpeg)?;
        link.write_all(b"\r\n")?;
        std::thread::sleep(Duration::from_millis(100));
    }
    Ok(())
}
