//! OpenCV's Haar cascade: boxes without points, for where no model is.

use opencv::core::{Mat, Rect as CvRect, Size, Vector};
use opencv::imgproc;
use opencv::objdetect::CascadeClassifier;
use opencv::prelude::*;

use super::Detection;
use crate::error::{Error, Result};
use crate::frame::{ChannelOrder, Frame};
use crate::geometry::Rect;

/// Where Debian, Homebrew and OpenCV's own install put the cascade.
const PLACES: [&str; 5] = [
    "/usr/share/opencv4/haarcascades",
    "/usr/local/share/opencv4/haarcascades",
    "/opt/homebrew/share/opencv4/haarcascades",
    "/usr/share/opencv/haarcascades",
    "/usr/local/share/opencv5/haarcascades",
];
const FILE: &str = "haarcascade_frontalface_default.xml";
/// The longer side at which the cascade looks; its cost grows with the square.
const SIDE: f32 = 640.0;

pub(super) struct Cascade {
    classifier: CascadeClassifier,
}

impl Cascade {
    pub(super) fn load() -> Result<Self> {
        let path = PLACES
            .iter()
            .map(|dir| std::path::Path::new(dir).join(FILE))
            .find(|path| path.is_file())
            .ok_or_else(|| Error::model(FILE, "was not found: install the package `opencv-data`"))?;
        let classifier = CascadeClassifier::new(path).map_err(|e| Error::model(FILE, e.to_string()))?;
        Ok(Self { classifier })
    }

    pub(super) fn detect(&mut self, frame: &Frame<'_>, region: &Rect, found: &mut Vec<Detection>) -> Result<()> {
        self.try_detect(frame, region, found).map_err(|e| Error::Inference { model: FILE.into(), source: Box::new(e) })
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "pixels of a frame")]
    fn try_detect(&mut self, frame: &Frame<'_>, region: &Rect, found: &mut Vec<Detection>) -> opencv::Result<()> {
        let rows = Mat::new_rows_cols_with_bytes::<opencv::core::Vec3b>(
            frame.height() as i32,
            frame.width() as i32,
            frame.pixels(),
        )?;
        let (x, y) = (region.x1 as i32, region.y1 as i32);
        let part = Mat::roi(&rows, CvRect::new(x, y, region.width() as i32, region.height() as i32))?;
        let code = match frame.order() {
            ChannelOrder::Rgb => imgproc::COLOR_RGB2GRAY,
            ChannelOrder::Bgr => imgproc::COLOR_BGR2GRAY,
        };
        let (mut grey, mut small, mut even) = (Mat::default(), Mat::default(), Mat::default());
        imgproc::cvt_color_def(&part, &mut grey, code)?;
        let scale = (SIDE / region.width().max(region.height())).min(1.0);
        let size = Size::new((region.width() * scale) as i32, (region.height() * scale) as i32);
        imgproc::resize(&grey, &mut small, size, 0.0, 0.0, imgproc::INTER_AREA)?;
        imgproc::equalize_hist(&small, &mut even)?;
        let (mut boxes, mut levels, mut weights) =
            (Vector::<CvRect>::new(), Vector::<i32>::new(), Vector::<f64>::new());
        // 1.1 and 5 are the usual steps between scales and neighbours a face must have.
        self.classifier.detect_multi_scale3(
            &even,
            &mut boxes,
            &mut levels,
            &mut weights,
            1.1,
            5,
            0,
            Size::new(24, 24),
            Size::default(),
            true,
        )?;
        for (b, weight) in boxes.iter().zip(weights.iter()) {
            let at = |v: i32, origin: f32| v as f32 / scale + origin;
            found.push(Detection {
                bbox: Rect::new(
                    at(b.x, region.x1),
                    at(b.y, region.y1),
                    at(b.x + b.width, region.x1),
                    at(b.y + b.height, region.y1),
                ),
                // The cascade's weight has no upper end: squeezed so that more is still better.
                score: (weight / (weight.abs() + 2.0)).clamp(0.0, 1.0) as f32,
                landmarks: None,
                eyes: None,
            });
        }
        Ok(())
    }
}
