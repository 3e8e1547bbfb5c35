//! Preprocessing: turns the pixels of a frame into the input of a model, in one pass over the crop.

mod letterbox;
mod normalization;
mod pixels;
mod warp;

pub use letterbox::{Anchor, InputShape, Layout, Letterbox, Letterboxer};
pub use normalization::Normalization;
pub(crate) use pixels::{Part, Pixels};
pub use warp::warp;
pub(crate) use warp::warp_gray;

#[cfg(test)]
mod test_frames {
    use super::*;
    use crate::frame::{ChannelOrder, Frame};

    pub(super) fn plain() -> Normalization {
        Normalization::uniform(ChannelOrder::Rgb, 0.0, 1.0)
    }

    /// Red rises with x, green with y.
    pub(super) fn ramp(width: u32, height: u32) -> Frame<'static> {
        let pixels: Vec<u8> = (0..height).flat_map(|y| (0..width).flat_map(move |x| [x as u8, y as u8, 7])).collect();
        Frame::new(pixels, width, height, ChannelOrder::Rgb).unwrap()
    }
}
