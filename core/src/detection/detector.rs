//! A loaded detector: tries the input sizes in turn and decodes the outputs of its family.

use super::input_size::{self, InputSize};
use super::kind::DetectorKind;
use super::options::DetectOptions;
use super::{Detection, blazeface, nms, scrfd, yolo_face, yunet};
use crate::error::{Error, Result};
use crate::geometry::Rect;
use crate::models::session::ModelSession;
use crate::preprocess::{InputShape, Letterbox, Letterboxer, Pixels};

/// Input pixels for a pixel of a reduced picture at most: twice its size weighs every pixel of the whole as the whole
/// picture would.
const MOST_REDUCED: f32 = 0.5;

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

    /// Finds the faces in `region` of a picture, best score first; returns them and the longer side of the input that
    /// settled it.
    pub(crate) fn detect(
        &mut self,
        picture: &mut dyn Pixels,
        region: &Rect,
        options: &DetectOptions,
    ) -> Result<(&[Detection], usize)> {
        let max_iou = options.max_iou.unwrap_or(self.kind.default_iou());
        self.found.clear();
        let mut used = 0;
        let input_size = self.fixed.map_or(options.input_size, InputSize::Fixed);
        let sizes = input_size.ladder(self.kind, region);
        for size in sizes.into_iter().flatten() {
            let scale = self.detect_at(picture, region, size, options.min_score)?;
            used = size;
            nms::suppress(&mut self.found, max_iou);
            if input_size::large_enough(self.kind, &self.found, scale) {
                break;
            }
        }
        Ok((&self.found, used))
    }

    /// Adds what is found at one input size; returns input pixels per frame pixel.
    fn detect_at(
        &mut self,
        picture: &mut dyn Pixels,
        region: &Rect,
        size: usize,
        min_score: Option<f32>,
    ) -> Result<f32> {
        let kind = self.kind;
        let min_score = min_score.unwrap_or(kind.default_score());
        let mut layout = kind.layout();
        if self.fixed.is_some() {
            layout.shape = InputShape::Square;
        }
        let placement = Letterbox::new(region, size, &layout);
        let part = picture.part(MOST_REDUCED / placement.scale)?;
        let input = self.letterboxer.fill(part.frame, &placement.of(&part), &layout, &kind.normalization())?;
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
