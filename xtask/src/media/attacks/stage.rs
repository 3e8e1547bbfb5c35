//! What a genuine clip and the attacks beside it have in common: the room, the camera, the place, and the way there.

use super::super::clip::Noise;
use super::lens::{Lens, Place};
use super::life::Approach;
use super::scene::room;
use super::sensor::Sensor;
use super::sheet::Sheet;

/// A place before a fixed camera.
pub(super) struct Stage {
    pub(super) room: Sheet,
    pub(super) lens: Lens,
    /// The color of the room's light, as a factor of each channel.
    pub(super) light: [f32; 3],
    /// The width of the face at the end of the way, in pixels.
    pub(super) width: f64,
    center: [f64; 2],
    approach: Approach,
    seed: u64,
}

/// The widths of a face in a picture 480 pixels high, at the end of the way.
const WIDTHS: [f64; 2] = [64.0, 150.0];
/// The smallest face at the start of the way.
const SMALLEST: f64 = 46.0;

impl Stage {
    /// Draws a stage of `size` pixels. Whoever comes there, living or not, changes nothing of it.
    pub(super) fn new(size: [usize; 2], seed: u64) -> Self {
        let mut random = Noise::new(seed);
        let [w, h] = size.map(|v| v as f64);
        let room = room(size[0], size[1], &mut random);
        let mut within = |low: f64, high: f64| low + (high - low) * random.uniform();
        let width = within(WIDTHS[0], WIDTHS[1]) * h / 480.0;
        let center = [w * within(0.34, 0.66), h * within(0.34, 0.46)];
        let (level, warm) = (within(0.86, 1.08) as f32, within(-0.05, 0.05) as f32);
        let light = [level * (1.0 + warm), level, level * (1.0 - warm)];
        let approach = Approach::new(&mut random, SMALLEST * h / 480.0 / width);
        Self { room, lens: Lens::new(size[0], size[1]), light, width, center, approach, seed }
    }

    /// Returns the camera. Its settings are those of the stage; its noise is another in each clip.
    pub(super) fn sensor(&self, clip: u64) -> Sensor {
        Sensor::new(&mut Noise::new(self.seed ^ 0xCA_3E4A), clip)
    }

    /// Returns where the middle of the face is at `time` in seconds.
    pub(super) fn place(&self, time: f64) -> Place {
        let (scale, [dx, dy]) = self.approach.at(time);
        Place { center: [self.center[0] + dx, self.center[1] + dy], scale }
    }
}
