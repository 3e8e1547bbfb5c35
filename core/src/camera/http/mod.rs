//! Cameras that speak HTTP: a motion-JPEG stream, and an address that answers with one JPEG and is asked again and
//! again.
//!
//! Cameras differ in how they part their pictures: a boundary with more dashes than promised or none, no boundary
//! before the first picture, a length that is wrong. So the reader looks for the pictures themselves (see [`jpegs`])
//! and takes from the parts nothing but that.

mod answer;
mod body;
mod connection;
mod jpegs;
mod login;
#[cfg(feature = "https")]
mod tls;

use std::time::{Duration, Instant};

use jiff::Timestamp;

use self::answer::{Answer, Contents};
use self::jpegs::{Found, Jpegs};
use self::login::Login;
use super::address::Address;
use super::frame_source::{FrameSource, camera_error};
use super::options::OpenOptions;
use super::source::CameraSource;
use crate::decode::{DecodeLimits, decode};
use crate::error::{Error, Result};
use crate::frame::Frame;

pub(super) use self::connection::why_unreachable;
pub use self::jpegs::pictures_of;

/// How often an address of single pictures is asked. Five a second show a face that walks through a door several times,
/// and small cameras take about 0.1 s over a picture.
const SNAPSHOT_EVERY: Duration = Duration::from_millis(200);
/// The limits of the interval that a caller may choose.
const SNAPSHOT_LIMITS: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(10));
/// The most redirections that are followed, all on the same host.
const MOST_REDIRECTIONS: usize = 3;

/// A camera that speaks HTTP. Frames are RGB.
pub(super) struct HttpCamera {
    source: CameraSource,
    /// Where it is asked: behind the redirections of its host.
    url: String,
    login: Option<Login>,
    answer: Answer,
    jpegs: Jpegs,
    /// Pictures in the present answer.
    pictures: u64,
    asked_at: Instant,
    options: OpenOptions,
}

/// What an HTTP address turned out to be.
pub(super) enum Opened {
    /// A camera that this module reads.
    Camera(Box<HttpCamera>),
    /// Video of another kind, at this address.
    OtherVideo(String),
}

/// Returns whether this module asks the address.
pub(super) fn asks(url: &str) -> bool {
    let scheme = url.split_once("://").map_or("", |(scheme, _)| scheme);
    scheme.eq_ignore_ascii_case("http") || (cfg!(feature = "https") && scheme.eq_ignore_ascii_case("https"))
}

impl HttpCamera {
    /// Asks for the address and reads the head of the answer.
    ///
    /// # Errors
    /// [`Error::Camera`] which says why there is no video: it is refused, does not answer, wants another password, has
    /// nothing there, redirects to another host, or answers with something else.
    pub(super) fn open(source: &CameraSource, url: &str, options: &OpenOptions) -> Result<Opened> {
        let failed = |reason: String| camera_error(source, reason);
        let until = Instant::now() + options.open_timeout;
        let address = Address::of(url).ok_or_else(|| failed("its address cannot be read".to_owned()))?;
        let mut login = Login::of(address.login);
        let mut url = url.to_owned();
        let asked_at = Instant::now();
        let mut redirections = 0;
        let mut answer = loop {
            let address = Address::of(&url).ok_or_else(|| failed("its address cannot be read".to_owned()))?;
            let answer = Answer::of(&address, login.as_mut(), until).map_err(failed)?;
            let Some(place) = answer.redirection() else { break answer };
            redirections += 1;
            let next = address.redirected(place).filter(|_| redirections <= MOST_REDIRECTIONS);
            url = next.ok_or_else(|| failed("it redirects to another address".to_owned()))?;
        };
        match answer.contents(until).map_err(failed)? {
            Contents::Pictures => {}
            Contents::OtherVideo => return Ok(Opened::OtherVideo(url)),
            Contents::NoVideo(kind) => {
                return Err(failed(format!("there is no video at this address: it answers with {kind}")));
            }
        }
        let jpegs = Jpegs::new(DecodeLimits::default().max_bytes, answer.boundary());
        let source = source.clone();
        let camera = Self { source, url, login, answer, jpegs, pictures: 0, asked_at, options: *options };
        Ok(Opened::Camera(Box::new(camera)))
    }

    /// Returns the next picture, as it came. A damaged one is an error that ends nothing.
    fn picture(&mut self) -> Result<Vec<u8>> {
        let mut until = Instant::now() + self.options.read_timeout;
        loop {
            match self.jpegs.next() {
                Some(Found::Picture(bytes)) => {
                    self.pictures += 1;
                    return Ok(bytes);
                }
                Some(Found::Damaged(reason)) => return Err(Error::invalid_image(reason)),
                None => {}
            }
            let is_over = self.answer.is_over(self.jpegs.is_between_pictures());
            if !is_over {
                let more = self.answer.read(until).map_err(|reason| camera_error(&self.source, reason))?;
                if more.is_empty() {
                    self.jpegs.finish();
                } else {
                    self.jpegs.push(more);
                }
                continue;
            }
            if !self.answer.is_one_picture(self.pictures) {
                let reason = if self.pictures == 0 { "it ended without a picture" } else { "the stream ended" };
                return Err(camera_error(&self.source, reason));
            }
            until = self.ask_again()?;
        }
    }

    /// Asks for the next picture when it is due; returns until when it has to be there.
    fn ask_again(&mut self) -> Result<Instant> {
        let (shortest, longest) = SNAPSHOT_LIMITS;
        let wanted = self.options.rate.filter(|rate| *rate > 0.0).map(|rate| 1.0 / rate);
        let every = wanted.and_then(|seconds| Duration::try_from_secs_f32(seconds).ok()).unwrap_or(SNAPSHOT_EVERY);
        std::thread::sleep(every.clamp(shortest, longest).saturating_sub(self.asked_at.elapsed()));
        self.asked_at = Instant::now();
        let until = self.asked_at + self.options.read_timeout;
        let failed = |reason: String| camera_error(&self.source, reason);
        let address = Address::of(&self.url).ok_or_else(|| failed("its address cannot be read".to_owned()))?;
        self.answer = Answer::of(&address, self.login.as_mut(), until).map_err(failed)?;
        if self.answer.redirection().is_some() {
            return Err(camera_error(&self.source, "it redirects to another address"));
        }
        self.jpegs = Jpegs::new(DecodeLimits::default().max_bytes, self.answer.boundary());
        self.pictures = 0;
        Ok(until)
    }
}

impl FrameSource for HttpCamera {
    fn next_frame(&mut self) -> Result<Option<Frame<'static>>> {
        let picture = self.picture()?;
        let captured_at = Timestamp::now();
        Ok(Some(decode(&picture, &DecodeLimits::default())?.with_captured_at(captured_at)))
    }

    fn skip(&mut self) -> Result<bool> {
        self.picture().map(|_| true)
    }

    fn frame_interval(&self) -> Option<Duration> {
        None
    }
}

#[cfg(test)]
mod tests;
