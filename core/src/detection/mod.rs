//! Finding faces: one detector over several families of models, each decoded in a file of its own.

mod blazeface;
mod input_size;
mod nms;
mod scrfd;
mod yolo_face;
mod yunet;

use serde::{Deserialize, Serialize};

pub use input_size::InputSize;

use crate::error::{Error, Result};
use crate::frame::{ChannelOrder, Frame};
use crate::geometry::{Landmarks5, Point, Rect};
use crate::models::manifest::Kind;
use crate::models::session::{ModelSession, Port};
use crate::pose::PoseFit;
use crate::preprocess::{Anchor, InputShape, Layout, Letterbox, Letterboxer, Normalization};

/// A face that was found, in frame pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Detection {
    /// Its box.
    pub bbox: Rect,
    /// How sure the detector is, in [0, 1].
    pub score: f32,
    /// The five points, from detectors that give them.
    pub landmarks: Option<Landmarks5>,
    /// The eyes on the image's left and right, from detectors that give those alone.
    pub eyes: Option<[Point; 2]>,
}

/// A family of detection models.
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
    /// The family that the manifest names; `None` for models of another role.
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

    /// The family of the model with these outputs, or `None` when it is none we know.
    #[must_use]
    pub fn identify(outputs: &[Port]) -> Option<Self> {
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

    /// The score from which a box is a face: each family's own usual value.
    fn default_score(self) -> f32 {
        match self {
            Self::Yunet => 0.6,
            Self::Blazeface | Self::Scrfd | Self::YoloV5 | Self::YoloV8 | Self::YoloV10 => 0.5,
        }
    }

    /// The overlap above which two boxes are one face.
    fn default_iou(self) -> f32 {
        match self {
            Self::Blazeface | Self::Yunet => 0.3,
            Self::YoloV5 | Self::YoloV8 | Self::YoloV10 => 0.5,
            Self::Scrfd => 0.4,
        }
    }

    /// What the family's models want of a pixel.
    fn normalization(self) -> Normalization {
        match self {
            Self::Blazeface => Normalization::uniform(ChannelOrder::Rgb, 127.5, 127.5),
            Self::Scrfd => Normalization::uniform(ChannelOrder::Rgb, 127.5, 128.0),
            Self::Yunet => Normalization::uniform(ChannelOrder::Bgr, 0.0, 1.0),
            Self::YoloV5 | Self::YoloV8 | Self::YoloV10 => Normalization::uniform(ChannelOrder::Rgb, 0.0, 255.0),
        }
    }

    fn layout(self) -> Layout {
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

    /// From this family's points to a pose.
    pub(crate) fn pose_fit(self) -> PoseFit {
        match self {
            Self::Scrfd => PoseFit::SCRFD,
            Self::Yunet => PoseFit::YUNET,
            Self::YoloV5 | Self::YoloV8 | Self::YoloV10 => PoseFit::YOLO_FACE,
            Self::Blazeface => PoseFit::MESH,
        }
    }
}

/// What to count as a face, and how closely to look.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[non_exhaustive]
pub struct DetectOptions {
    /// The lowest score of a face, in [0, 1]. Default: the usual one of the detector's family.
    pub min_score: Option<f32>,
    /// The highest overlap (intersection over union) of two faces, in [0, 1]. Default: the family's.
    pub max_iou: Option<f32>,
    /// The longer side of the detector's input.
    pub input_size: InputSize,
}

impl DetectOptions {
    /// The same options with another lowest score, in [0, 1].
    #[must_use]
    pub fn with_min_score(mut self, min_score: f32) -> Self {
        self.min_score = Some(min_score);
        self
    }

    /// The same options with another highest overlap, in [0, 1].
    #[must_use]
    pub fn with_max_iou(mut self, max_iou: f32) -> Self {
        self.max_iou = Some(max_iou);
        self
    }

    /// The same options with another input size.
    #[must_use]
    pub fn with_input_size(mut self, input_size: InputSize) -> Self {
        self.input_size = input_size;
        self
    }

    pub(crate) fn check(&self) -> Result<()> {
        for (what, value) in [("min_score", self.min_score), ("max_iou", self.max_iou)] {
            if value.is_some_and(|v| !(0.0..=1.0).contains(&v)) {
                return Err(Error::invalid_input(what, format!("{value:?} is not between 0 and 1")));
            }
        }
        self.input_size.check()
    }
}

/// A loaded detector. Holds the buffers that its runs reuse, so one is needed for each thread.
pub(crate) struct Detector {
    session: ModelSession,
    /// The side of the input, for models of one size.
    fixed: Option<usize>,
    kind: DetectorKind,
    letterboxer: Letterboxer,
    found: Vec<Detection>,
}

impl Detector {
    pub(crate) fn new(session: ModelSession, kind: Option<DetectorKind>) -> Result<Self> {
        let kind = kind.or_else(|| DetectorKind::identify(session.outputs())).ok_or_else(|| {
            let outputs: Vec<_> = session.outputs().iter().map(|p| format!("{} {:?}", p.name, p.shape)).collect();
            Error::model(
                session.name(),
                format!(
                    "is no face detector we know (SCRFD, YuNet, YOLO-face, BlazeFace): its outputs are {}",
                    outputs.join(", ")
                ),
            )
        })?;
        let fixed = match session.input().shape[..] {
            [_, _, height, width] if height > 0 && width > 0 => {
                if height != width {
                    return Err(Error::model(session.name(), format!("input {width}x{height} is not square")));
                }
                usize::try_from(width).ok()
            }
            _ => None,
        };
        Ok(Self { session, fixed, kind, letterboxer: Letterboxer::default(), found: Vec::new() })
    }

    pub(crate) fn kind(&self) -> DetectorKind {
        self.kind
    }

    /// The faces in `region` of `frame`, best score first, and the longer side of the input that settled it.
    pub(crate) fn detect(
        &mut self,
        frame: &Frame<'_>,
        region: &Rect,
        options: &DetectOptions,
    ) -> Result<(&[Detection], usize)> {
        let max_iou = options.max_iou.unwrap_or(self.kind.default_iou());
        self.found.clear();
        let mut used = 0;
        let input_size = self.fixed.map_or(options.input_size, InputSize::Fixed);
        let sizes = input_size.ladder(self.kind, region);
        for size in sizes.into_iter().flatten() {
            let scale = self.detect_at(frame, region, size, options.min_score)?;
            used = size;
            nms::suppress(&mut self.found, max_iou);
            if input_size::large_enough(self.kind, &self.found, scale) {
                break;
            }
        }
        Ok((&self.found, used))
    }

    /// Adds what is found at one input size; returns input pixels per frame pixel.
    fn detect_at(&mut self, frame: &Frame<'_>, region: &Rect, size: usize, min_score: Option<f32>) -> Result<f32> {
        let kind = self.kind;
        let min_score = min_score.unwrap_or(kind.default_score());
        let mut layout = kind.layout();
        if self.fixed.is_some() {
            layout.shape = InputShape::Square;
        }
        let placement = Letterbox::new(region, size, &layout);
        let input = self.letterboxer.fill(frame, &placement, &layout, &kind.normalization())?;
        let input_size = (placement.width, placement.height);
        let first = self.found.len();
        let found = &mut self.found;
        let output_count = self.session.outputs().len();
        self.session.run([1, 3, placement.height, placement.width], input, |outputs| match kind {
            DetectorKind::Blazeface => blazeface::decode(outputs, input_size, min_score, found),
            DetectorKind::Scrfd => scrfd::decode(outputs, output_count, input_size, min_score, found),
            DetectorKind::Yunet => yunet::decode(outputs, input_size, min_score, found),
            DetectorKind::YoloV5 if output_count == 3 => {
                yolo_face::decode_v5_heads(outputs, input_size, min_score, found)
            }
            DetectorKind::YoloV5 => yolo_face::decode_v5_joined(outputs, min_score, found),
            DetectorKind::YoloV8 => yolo_face::decode_v8(outputs, min_score, found),
            DetectorKind::YoloV10 => yolo_face::decode_v10(outputs, min_score, found),
        })?;
        // A model that answers with a NaN must not bring down what follows.
        let mut i = first;
        while i < found.len() {
            let d = &mut found[i];
            d.bbox = placement.rect_to_frame(&d.bbox);
            d.landmarks = d.landmarks.map(|points| points.map(|p| placement.to_frame(p)));
            d.eyes = d.eyes.map(|eyes| eyes.map(|p| placement.to_frame(p)));
            if d.is_usable() {
                i += 1;
            } else {
                found.swap_remove(i);
            }
        }
        Ok(placement.scale)
    }
}

impl Detection {
    fn is_usable(&self) -> bool {
        let finite = |p: &Point| p.x.is_finite() && p.y.is_finite();
        let b = &self.bbox;
        [b.x1, b.y1, b.x2, b.y2].iter().all(|v| v.is_finite())
            && b.width() >= 1.0
            && b.height() >= 1.0
            && self.landmarks.is_none_or(|points| points.0.iter().all(finite))
            && self.eyes.is_none_or(|eyes| eyes.iter().all(finite))
    }
}

/// Five points out of `values`, each `step` values long, mapped into input pixels.
fn landmarks_at(values: &[f32], step: usize, map: impl Fn(f32, f32) -> (f32, f32)) -> Landmarks5 {
    Landmarks5(std::array::from_fn(|i| {
        let (x, y) = map(values[i * step], values[i * step + 1]);
        Point::new(x, y)
    }))
}

fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
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

    #[test]
    fn options_outside_their_range_are_refused() {
        assert!(DetectOptions::default().with_min_score(1.5).check().is_err());
        assert!(DetectOptions::default().with_max_iou(f32::NAN).check().is_err());
        assert!(DetectOptions::default().with_input_size(InputSize::Fixed(5)).check().is_err());
    }

    #[test]
    fn a_detection_that_is_no_number_is_not_usable() {
        let detection = Detection { bbox: Rect::new(0.0, 0.0, f32::NAN, 5.0), score: 0.9, landmarks: None, eyes: None };
        assert!(!detection.is_usable());
    }
}
