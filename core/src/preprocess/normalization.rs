//! The normalization of pixels that a model expects.

use crate::frame::{ChannelOrder, Frame};

/// What a model wants of a pixel: value = byte * scale + bias, for each channel in the model's own order.
///
/// ```
/// use faceattend_core::ChannelOrder;
/// use faceattend_core::embedding::Normalization;
///
/// // ArcFace: (byte - 127.5) / 127.5.
/// let arcface = Normalization::uniform(ChannelOrder::Rgb, 127.5, 127.5);
/// assert_eq!(arcface.bias, [-1.0; 3]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Normalization {
    /// The order of the model's channels.
    pub order: ChannelOrder,
    /// What each byte is multiplied by.
    pub scale: [f32; 3],
    /// What is added.
    pub bias: [f32; 3],
}

impl Normalization {
    /// Creates (byte - mean) / deviation, the same for each channel.
    #[must_use]
    pub fn uniform(order: ChannelOrder, mean: f32, deviation: f32) -> Self {
        Self::per_channel(order, [mean; 3], [deviation; 3])
    }

    /// Creates (byte - mean) / deviation, channel by channel in the model's order.
    #[must_use]
    pub fn per_channel(order: ChannelOrder, mean: [f32; 3], deviation: [f32; 3]) -> Self {
        let mut scale = [1.0; 3];
        let mut bias = [0.0; 3];
        for c in 0..3 {
            scale[c] = 1.0 / deviation[c];
            bias[c] = -mean[c] / deviation[c];
        }
        Self { order, scale, bias }
    }

    pub(super) fn apply(&self, byte: u8, channel: usize) -> f32 {
        f32::from(byte) * self.scale[channel] + self.bias[channel]
    }

    /// Returns where each of the model's channels lies in a pixel of `frame`.
    pub(super) fn source_channels(&self, frame: &Frame<'_>) -> [usize; 3] {
        if frame.order() == self.order { [0, 1, 2] } else { [2, 1, 0] }
    }
}
