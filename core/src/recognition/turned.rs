//! Whether a camera is mounted upside down or on its side: its faces tell.
//!
//! Detectors find turned faces too. The points of one that is on its side lie on their side, and the head leans by a
//! quarter turn. One that is upside down is taken for an upright one, less surely: its points are wrong, and its
//! embedding is nobody's. So now and then a picture is looked at in all four positions.

use jiff::{SignedDuration, Timestamp};

use crate::camera::Orientation;
use crate::engine::{AnalyzeOptions, Depth, FaceEngine, Selection};
use crate::error::Result;
use crate::frame::Frame;

/// How often a picture with a face is looked at in four positions while its faces are turned. A dozen in a minute.
const TURNED_EVERY: SignedDuration = SignedDuration::from_secs(5);
/// The same after one with an upright face.
const UPRIGHT_EVERY: SignedDuration = SignedDuration::from_secs(60);
/// How many looks in a row have to agree, and the time from the first to the last of them.
const AGREEING: u32 = 6;
const FOR: SignedDuration = SignedDuration::from_secs(50);
/// By how much more sure the detector must be of a face that was turned. On five of the sample pictures the default
/// pack was surer of the upright face than of the same one upside down by 0.13 at the least.
const SURER: f32 = 0.05;
/// Up to which roll a face is upright: half of a quarter turn, in degrees.
const UPRIGHT: f32 = 45.0;

/// The positions in which a picture is looked at.
const POSITIONS: [Orientation; 4] =
    [Orientation::Upright, Orientation::HalfTurn, Orientation::Clockwise, Orientation::Counterclockwise];

/// What the faces of one camera say of its mounting.
#[derive(Debug, Default)]
pub(super) struct Mounting {
    looked_at: Option<Timestamp>,
    /// Whether the last look found a face the right way up.
    is_upright: bool,
    /// How the faces have been turned in every look of late: by what, since when, in how many looks.
    turned: Option<(Orientation, Timestamp, u32)>,
}

impl Mounting {
    /// Returns whether a picture with a face should be looked at in four positions.
    pub(super) fn is_due(&self, now: Timestamp) -> bool {
        let every = if self.is_upright { UPRIGHT_EVERY } else { TURNED_EVERY };
        self.looked_at.is_none_or(|last| now < last || now.duration_since(last) >= every)
    }

    /// Looks at a picture that has a face.
    ///
    /// # Errors
    /// Those of the engine.
    pub(super) fn look(&mut self, engine: &dyn FaceEngine, frame: &Frame<'_>, now: Timestamp) -> Result<()> {
        self.looked_at = Some(now);
        if let Some(seen) = upright_by(engine, frame)? {
            self.is_upright = seen == Orientation::Upright;
            self.turned = match self.turned {
                _ if seen == Orientation::Upright => None,
                Some((before, since, looks)) if before == seen => Some((seen, since, looks + 1)),
                _ => Some((seen, now, 1)),
            };
        }
        Ok(())
    }

    /// Returns how the camera's pictures have to be turned, once every face of a minute says the same.
    pub(super) fn proposal(&self) -> Option<Orientation> {
        let (turned, since, looks) = self.turned?;
        let last = self.looked_at?;
        (looks >= AGREEING && last.duration_since(since) >= FOR).then_some(turned)
    }
}

/// Returns the turn that sets the largest face of `frame` upright; `None` where no face tells.
fn upright_by(engine: &dyn FaceEngine, frame: &Frame<'_>) -> Result<Option<Orientation>> {
    let options = AnalyzeOptions::default().with_depth(Depth::Pose).with_selection(Selection::Largest);
    let mut best: Option<(Orientation, f32)> = None;
    for position in POSITIONS {
        let turned = position.apply(frame.clone().into_owned())?;
        let faces = engine.analyze(&turned, &options)?.faces;
        let Some(face) = faces.first().filter(|face| face.pose.is_some_and(|pose| pose.roll.0.abs() <= UPRIGHT)) else {
            continue;
        };
        if best.is_none_or(|(_, score)| face.score >= score + SURER) {
            best = Some((position, face.score));
        }
    }
    Ok(best.map(|(position, _)| position))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Engine;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_camera_that_is_upside_down_or_on_its_side_is_told_how_to_be_set_and_others_are_not() {
        let engine = Engine::new().unwrap();
        let back = [
            (Orientation::Upright, None),
            (Orientation::Mirrored, None),
            (Orientation::HalfTurn, Some(Orientation::HalfTurn)),
            (Orientation::Clockwise, Some(Orientation::Counterclockwise)),
            (Orientation::Counterclockwise, Some(Orientation::Clockwise)),
        ];
        for (mounted, expected) in back {
            let mut mounting = Mounting::default();
            for (n, person) in ["collins", "hopper", "obama"].iter().cycle().take(13).enumerate() {
                let now = at(n as i64 * 5);
                assert_eq!(mounting.proposal(), None, "{mounted:?}: not within the minute");
                if mounting.is_due(now) {
                    let upright = Frame::open(format!("../examples/media/{person}/center.jpg")).unwrap();
                    mounting.look(&engine, &mounted.apply(upright).unwrap(), now).unwrap();
                }
                if n >= 10 && mounting.proposal().is_some() {
                    break;
                }
            }
            assert_eq!(mounting.proposal(), expected, "{mounted:?}");
            // One upright face takes it back.
            let upright = Frame::open("../examples/media/hopper/left.jpg").unwrap();
            mounting.look(&engine, &upright, at(70)).unwrap();
            assert_eq!((mounting.proposal(), mounting.is_due(at(80))), (None, false), "{mounted:?}");
        }
    }
}
