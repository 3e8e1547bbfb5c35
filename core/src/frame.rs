//! The picture that every stage takes.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// The order of the three bytes of a pixel.
///
/// ```
/// use faceattend_core::ChannelOrder;
///
/// assert_eq!("BGR".parse::<ChannelOrder>()?, ChannelOrder::Bgr);
/// assert_eq!(ChannelOrder::Rgb.as_str(), "rgb");
/// # Ok::<(), faceattend_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChannelOrder {
    /// Red, green, blue: what `image` and browsers give.
    Rgb,
    /// Blue, green, red: what OpenCV gives.
    Bgr,
}

impl ChannelOrder {
    /// Returns the order as settings name it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rgb => "rgb",
            Self::Bgr => "bgr",
        }
    }
}

impl std::str::FromStr for ChannelOrder {
    type Err = Error;

    /// Returns the order that `name` says, in any letter case.
    fn from_str(name: &str) -> Result<Self> {
        [Self::Rgb, Self::Bgr]
            .into_iter()
            .find(|order| name.eq_ignore_ascii_case(order.as_str()))
            .ok_or_else(|| Error::invalid_input("channel order", format!("{name:?} is neither rgb nor bgr")))
    }
}

/// A picture: `u8` pixels, height x width x 3, rows without gaps, borrowed or owned. Stages read either channel order,
/// so no conversion is ever made.
///
/// ```
/// use faceattend_core::{ChannelOrder, Frame};
///
/// // Two pixels as OpenCV gives them, blue first: one red, one blue.
/// let pixels = [0, 0, 255, 255, 0, 0];
/// let frame = Frame::new(&pixels[..], 2, 1, ChannelOrder::Bgr)?;
/// assert_eq!(frame.rgb(0, 0), Some([255, 0, 0]));
/// assert_eq!(frame.rgb(2, 0), None);
/// # Ok::<(), faceattend_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Frame<'a> {
    pixels: Cow<'a, [u8]>,
    width: u32,
    height: u32,
    order: ChannelOrder,
    captured_at: Option<Timestamp>,
}

impl<'a> Frame<'a> {
    /// Creates a frame over `pixels`, which holds `height` rows of `width` pixels of three bytes in `order`.
    ///
    /// ```
    /// use faceattend_core::{ChannelOrder, Frame};
    ///
    /// assert!(Frame::new(vec![0; 12], 2, 2, ChannelOrder::Rgb).is_ok());
    /// assert!(Frame::new(vec![0; 11], 2, 2, ChannelOrder::Rgb).is_err());
    /// ```
    ///
    /// # Errors
    /// [`Error::InvalidImage`] when a side is zero or the length is not `width * height * 3`.
    pub fn new(pixels: impl Into<Cow<'a, [u8]>>, width: u32, height: u32, order: ChannelOrder) -> Result<Self> {
        let pixels = pixels.into();
        let expected = u64::from(width) * u64::from(height) * 3;
        if width == 0 || height == 0 {
            return Err(Error::invalid_image(format!("{width}x{height} has no pixels")));
        }
        if pixels.len() as u64 != expected {
            return Err(Error::invalid_image(format!("{width}x{height} needs {expected} bytes, got {}", pixels.len())));
        }
        Ok(Self { pixels, width, height, order, captured_at: None })
    }

    /// Returns the same frame, stamped with the time it was captured.
    ///
    /// ```
    /// use faceattend_core::{ChannelOrder, Frame, Timestamp};
    ///
    /// let frame = Frame::new(vec![0; 3], 1, 1, ChannelOrder::Rgb)?.with_captured_at(Timestamp::UNIX_EPOCH);
    /// assert_eq!(frame.captured_at(), Some(Timestamp::UNIX_EPOCH));
    /// # Ok::<(), faceattend_core::Error>(())
    /// ```
    #[must_use]
    pub fn with_captured_at(mut self, captured_at: Timestamp) -> Self {
        self.captured_at = Some(captured_at);
        self
    }

    /// Returns the bytes, row by row.
    #[must_use]
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// Returns the width in pixels.
    #[must_use]
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Returns the height in pixels.
    #[must_use]
    pub fn height(&self) -> u32 {
        self.height
    }

    /// Returns the order of the bytes of a pixel.
    #[must_use]
    pub fn order(&self) -> ChannelOrder {
        self.order
    }

    /// Returns when the frame was captured, if its source said so.
    #[must_use]
    pub fn captured_at(&self) -> Option<Timestamp> {
        self.captured_at
    }

    /// Returns the red, green and blue of the pixel at (`x`, `y`), or `None` outside.
    ///
    /// ```
    /// use faceattend_core::{ChannelOrder, Frame};
    ///
    /// let frame = Frame::new(vec![3, 2, 1], 1, 1, ChannelOrder::Bgr)?;
    /// assert_eq!(frame.rgb(0, 0), Some([1, 2, 3]));
    /// assert_eq!(frame.rgb(1, 0), None);
    /// # Ok::<(), faceattend_core::Error>(())
    /// ```
    #[must_use]
    pub fn rgb(&self, x: u32, y: u32) -> Option<[u8; 3]> {
        if x >= self.width || y >= self.height {
            return None;
        }
        let at = (y as usize * self.width as usize + x as usize) * 3;
        let pixel = self.pixels.get(at..at + 3)?;
        Some(match self.order {
            ChannelOrder::Rgb => [pixel[0], pixel[1], pixel[2]],
            ChannelOrder::Bgr => [pixel[2], pixel[1], pixel[0]],
        })
    }

    /// Returns a view that borrows this frame's pixels.
    ///
    /// ```
    /// use faceattend_core::{ChannelOrder, Frame};
    ///
    /// let frame = Frame::new(vec![0; 3], 1, 1, ChannelOrder::Rgb)?;
    /// // A view costs nothing: it borrows the pixels.
    /// assert_eq!(frame.view().pixels().as_ptr(), frame.pixels().as_ptr());
    /// # Ok::<(), faceattend_core::Error>(())
    /// ```
    #[must_use]
    pub fn view(&self) -> Frame<'_> {
        Frame { pixels: Cow::Borrowed(&self.pixels), ..*self }
    }

    /// This frame with pixels of its own.
    ///
    /// ```
    /// use faceattend_core::{ChannelOrder, Frame};
    ///
    /// fn first_pixel(bytes: &[u8]) -> faceattend_core::Result<Frame<'static>> {
    ///     Ok(Frame::new(&bytes[..3], 1, 1, ChannelOrder::Rgb)?.into_owned())
    /// }
    /// assert_eq!(first_pixel(&[1, 2, 3, 4])?.pixels(), [1, 2, 3]);
    /// # Ok::<(), faceattend_core::Error>(())
    /// ```
    #[must_use]
    pub fn into_owned(self) -> Frame<'static> {
        Frame { pixels: Cow::Owned(self.pixels.into_owned()), ..self }
    }
}

/// Says size and order, never pixels: a face must not reach a log.
impl std::fmt::Debug for Frame<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Frame({}x{} {:?}, captured_at: {:?})", self.width, self.height, self.order, self.captured_at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_that_does_not_fit_the_size_is_refused() {
        assert!(Frame::new(vec![0; 11], 2, 2, ChannelOrder::Rgb).is_err());
        assert!(Frame::new(vec![], 0, 2, ChannelOrder::Rgb).is_err());
        // 2^32 pixels would overflow a 32-bit product.
        assert!(Frame::new(vec![0; 3], 65_536, 65_536, ChannelOrder::Rgb).is_err());
    }

    #[test]
    fn both_orders_show_the_same_color() {
        let rgb = Frame::new(vec![1, 2, 3], 1, 1, ChannelOrder::Rgb).unwrap();
        let bgr = Frame::new(vec![3, 2, 1], 1, 1, ChannelOrder::Bgr).unwrap();
        assert_eq!(rgb.rgb(0, 0), bgr.rgb(0, 0));
        assert_eq!(rgb.rgb(1, 0), None);
    }

    #[test]
    fn an_order_is_named_in_any_letter_case() {
        assert_eq!("BGR".parse::<ChannelOrder>().unwrap(), ChannelOrder::Bgr);
        assert_eq!(ChannelOrder::Rgb.as_str().parse::<ChannelOrder>().unwrap(), ChannelOrder::Rgb);
        assert!("grb".parse::<ChannelOrder>().unwrap_err().to_string().contains("grb"));
    }

    #[test]
    fn debug_shows_no_pixel() {
        let frame = Frame::new(vec![77, 77, 77], 1, 1, ChannelOrder::Rgb).unwrap();
        assert!(!format!("{frame:?}").contains("77"));
    }
}
