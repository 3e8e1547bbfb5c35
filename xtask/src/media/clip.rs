//! What makes a row of rendered pictures look as if a camera had taken them of a living person.

use super::head::View;

/// Pictures a second.
pub(super) const FPS: u32 = 10;

/// How far the head turns in the clips, in degrees: far enough for every gate with room to spare.
const TURN: f64 = 28.0;

/// The turning clip: ahead, to the person's left, ahead, to their right, ahead.
pub(super) fn turning(seed: u64) -> Vec<View> {
    // In a picture that is not mirrored, the person's own left is on the right: positive yaw.
    let stations: [(f64, u32, u32); 5] = [(0.0, 0, 4), (TURN, 7, 4), (0.0, 7, 3), (-TURN, 7, 4), (0.0, 7, 3)];
    let mut yaws = Vec::new();
    let mut from = 0.0;
    for (to, moving, staying) in stations {
        yaws.extend((1..=moving).map(|i| from + (to - from) * eased(f64::from(i) / f64::from(moving))));
        yaws.extend((0..staying).map(|_| to));
        from = to;
    }
    swaying(&yaws, seed)
}

/// Somebody who looks ahead and about a little, for `count` pictures.
pub(super) fn attending(count: u32, seed: u64) -> Vec<View> {
    let phase = Noise::new(seed).uniform() * std::f64::consts::TAU;
    let yaws: Vec<_> = (0..count).map(|i| 9.0 * (f64::from(i) * 0.35 + phase).sin()).collect();
    swaying(&yaws, seed)
}

/// `yaws` with the small movements that nobody can help: the head's, and those of a hand-held camera.
fn swaying(yaws: &[f64], seed: u64) -> Vec<View> {
    let mut noise = Noise::new(seed);
    let mut phase = || noise.uniform() * std::f64::consts::TAU;
    let phases = [phase(), phase(), phase(), phase(), phase()];
    let wave = |i: usize, speed: f64, which: usize| (i as f64 * speed + phases[which]).sin();
    let sway = |(i, &yaw): (usize, &f64)| View {
        yaw: yaw + 0.8 * wave(i, 0.9, 0),
        pitch: 1.2 * wave(i, 0.6, 1),
        roll: 1.0 * wave(i, 0.45, 2),
        shift: [2.5 * wave(i, 0.7, 3), 2.0 * wave(i, 0.5, 4)],
    };
    yaws.iter().enumerate().map(sway).collect()
}

/// From 0 to 1 with a gentle start and end.
pub(super) fn eased(t: f64) -> f64 {
    t * t * (3.0 - 2.0 * t)
}

/// Rounds colors to bytes, as a sensor would: with noise of `strength` levels.
pub(super) fn exposed(colors: &[[f32; 3]], strength: f64, noise: &mut Noise) -> Vec<u8> {
    // The light of a room flickers, and cameras follow it late.
    let light = 1.0 + 0.006 * strength * (noise.uniform() - 0.5);
    let mut expose =
        |value: f32| (f64::from(value) * light + strength * noise.normal()).round().clamp(0.0, 255.0) as u8;
    colors.iter().flatten().map(|&value| expose(value)).collect()
}

/// The same noise on every machine: SplitMix64 (Steele, Lea, Flood 2014).
pub(super) struct Noise(u64);

impl Noise {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// In [0, 1).
    pub(super) fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((bits ^ (bits >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Near enough to a normal distribution of variance 1: the sum of three uniform ones.
    pub(super) fn normal(&mut self) -> f64 {
        (self.uniform() + self.uniform() + self.uniform() - 1.5) * 2.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_turning_clip_reaches_both_sides_and_comes_back() {
        let views = turning(1);
        let yaws: Vec<_> = views.iter().map(|view| view.yaw).collect();
        let (left, right) =
            (yaws.iter().position(|&y| y > 25.0).unwrap(), yaws.iter().position(|&y| y < -25.0).unwrap());
        assert!(left < right, "first the person's left, then their right");
        assert!(yaws[0].abs() < 2.0 && yaws[yaws.len() - 1].abs() < 2.0);
        assert!(yaws.windows(2).all(|pair| (pair[1] - pair[0]).abs() < 9.0), "a head does not jump");
        assert!(views.windows(2).all(|pair| pair[0].shift != pair[1].shift), "no two pictures are the same");
    }

    #[test]
    fn noise_has_the_promised_strength() {
        let mut noise = Noise::new(3);
        let values: Vec<_> = (0..20_000).map(|_| noise.normal()).collect();
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / values.len() as f64;
        assert!(mean.abs() < 0.03 && (variance - 1.0).abs() < 0.05, "mean {mean}, variance {variance}");
    }
}
