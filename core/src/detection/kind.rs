//! The families of detection models: how each is recognized, fed and read.

use serde::{Deserialize, Serialize};

use crate::frame::ChannelOrder;
use crate::models::manifest::Kind;
use crate::models::session::Port;
use crate::pose::PoseFit;
use crate::preprocess::{Anchor, InputShape, Layout, Normalization};

/// A family of detection models.
///
/// ```
/// use faceattend_core::Engine;
/// use faceattend_core::detection::DetectorKind;
///
/// // The family is told by the model's outputs; say it where two families share a shape.
/// let builder = Engine::builder().with_detector_file("scrfd.onnx", Some(DetectorKind::Scrfd));
/// # drop(builder);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum DetectorKind {
    /// BlazeFace of the default pack.
    Blazeface,
    /// SCRFD of any size, with or without points.
    Scrfd,
    /// YuNet.
    Yunet,
    /// YOLOv5-face with raw heads, or joined and decoded.
    #[serde(rename = "yolov5-face")]
    YoloV5,
    /// YOLOv8-face and v9: one output, one box a column.
    #[serde(rename = "yolov8-face")]
    YoloV8,
    /// YOLOv10-face: end to end, one box a row.
    #[serde(rename = "yolov10-face")]
    YoloV10,
}

impl DetectorKind {
    /// Returns the family that the manifest names; `None` for models of another role.
    pub(crate) fn of(kind: Kind) -> Option<Self> {
        match kind {
            Kind::Blazeface => Some(Self::Blazeface),
            Kind::Scrfd => Some(Self::Scrfd),
            Kind::Yunet => Some(Self::Yunet),
            Kind::Yolov5Face => Some(Self::YoloV5),
            Kind::Yolov8Face => Some(Self::YoloV8),
            Kind::Yolov10Face => Some(Self::YoloV10),
            Kind::FaceMesh | Kind::Embedder | Kind::Minifasnet => None,
        }
    }

    /// Tells the family of the model with these outputs, or `None` when it is none we know.
    #[must_use]
    pub(crate) fn identify(outputs: &[Port]) -> Option<Self> {
        let has = |name: &str| outputs.iter().any(|port| port.name == name);
        if has("scores_16") && has("boxes_32") {
            return Some(Self::Blazeface);
        }
        if has("cls_8") && has("obj_8") && has("kps_8") {
            return Some(Self::Yunet);
        }
        match outputs {
            [_, _, _] if outputs.iter().all(|port| port.shape.len() == 5 && port.shape[4] == 16) => Some(Self::YoloV5),
            [port] => match port.shape[..] {
                // v10 keeps a few hundred boxes, v5 has one for every anchor: 25,200 at 640.
                [_, boxes, 16] if !(0..=1000).contains(&boxes) => Some(Self::YoloV5),
                [_, _, 6 | 16 | 21] => Some(Self::YoloV10),
                [_, 5 | 15 | 20, _] => Some(Self::YoloV8),
                _ => None,
            },
            _ if [6, 9, 10, 15].contains(&outputs.len()) => Some(Self::Scrfd),
            _ => None,
        }
    }

    /// Returns the score from which a box is a face: each family's own usual value.
    pub(super) fn default_score(self) -> f32 {
        match self {
            Self::Yunet => 0.6,
            Self::Blazeface | Self::Scrfd | Self::YoloV5 | Self::YoloV8 | Self::YoloV10 => 0.5,
        }
    }

    /// Returns the overlap above which two boxes are one face.
    pub(super) fn default_iou(self) -> f32 {
        match self {
            Self::Blazeface | Self::Yunet => 0.3,
            Self::YoloV5 | Self::YoloV8 | Self::YoloV10 => 0.5,
            Self::Scrfd => 0.4,
        }
    }

    /// Returns what the family's models want of a pixel.
    pub(super) fn normalization(self) -> Normalization {
        match self {
            Self::Blazeface => Normalization::uniform(ChannelOrder::Rgb, 127.5, 127.5),
            Self::Scrfd => Normalization::uniform(ChannelOrder::Rgb, 127.5, 128.0),
            Self::Yunet => Normalization::uniform(ChannelOrder::Bgr, 0.0, 1.0),
            Self::YoloV5 | Self::YoloV8 | Self::YoloV10 => Normalization::uniform(ChannelOrder::Rgb, 0.0, 255.0),
        }
    }

    pub(super) fn layout(self) -> Layout {
        let tight = InputShape::Tight;
        match self {
            // Faces that touch the picture's edge are missed without room around them: on tight crops of LFW a quarter
            // of a side raised the true accept rate from 0.925 to 1.
            Self::Blazeface => Layout { anchor: Anchor::Center, margin: 0.25, fill: 0, multiple: 32, shape: tight },
            Self::Scrfd | Self::Yunet => {
                Layout { anchor: Anchor::TopLeft, margin: 0.0, fill: 0, multiple: 32, shape: tight }
            }
            Self::YoloV5 | Self::YoloV8 | Self::YoloV10 => {
                Layout { anchor: Anchor::Center, margin: 0.0, fill: 114, multiple: 32, shape: tight }
            }
        }
    }

    /// Returns how this family's points become a pose.
    pub(crate) fn pose_fit(self) -> PoseFit {
        match self {
            Self::Scrfd => PoseFit::SCRFD,
            Self::Yunet => PoseFit::YUNET,
            Self::YoloV5 | Self::YoloV8 | Self::YoloV10 => PoseFit::YOLO_FACE,
            Self::Blazeface => PoseFit::MESH,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ports(shapes: &[&[i64]]) -> Vec<Port> {
        shapes.iter().map(|shape| Port { name: String::new(), shape: shape.to_vec() }).collect()
    }

    #[test]
    fn families_are_told_by_their_outputs() {
        for (shapes, kind) in [
            (&[&[1, 3, 80, 80, 16][..], &[1, 3, 40, 40, 16], &[1, 3, 20, 20, 16]][..], Some(DetectorKind::YoloV5)),
            (&[&[1, 25_200, 16]], Some(DetectorKind::YoloV5)),
            (&[&[1, 20, 8400]], Some(DetectorKind::YoloV8)),
            (&[&[1, 300, 6]], Some(DetectorKind::YoloV10)),
            (&[&[1, 300, 21]], Some(DetectorKind::YoloV10)),
            (&[&[1, 84, 8400]], None),
            (&[&[-1, 1][..]; 9][..], Some(DetectorKind::Scrfd)),
            (&[&[-1, 512]], None),
        ] {
            assert_eq!(DetectorKind::identify(&ports(shapes)), kind, "{shapes:?}");
        }
    }
}
