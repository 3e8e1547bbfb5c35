//! How things move over time: heads that nod and blink, hands that tremble.

use std::f64::consts::TAU;

use super::super::clip::{Noise, eased};

/// A head at one moment.
#[derive(Clone, Copy, Default)]
pub(super) struct Moment {
    /// In degrees, positive when the nose points to the picture's right edge.
    pub(super) yaw: f64,
    /// In degrees, positive upwards.
    pub(super) pitch: f64,
    /// In degrees, positive clockwise as seen.
    pub(super) roll: f64,
    /// Where the head has swayed to, in widths of the face.
    pub(super) shift: [f64; 2],
    /// How far the eyes are closed: 0 open, 1 closed.
    pub(super) blink: f64,
    /// How far the mouth is open, from 0 to 1.
    pub(super) mouth: f64,
}

/// A value that wanders about 0 with the given strength (its root mean square), slowly more than fast: a sum of waves
/// whose strength falls with their frequency, as that of bodies and hands that try to keep still.
pub(super) struct Wander {
    /// Strength, cycles a second, phase.
    waves: Vec<[f64; 3]>,
}

impl Wander {
    /// Creates a wandering value whose slowest wave has `slowest` cycles a second.
    pub(super) fn new(random: &mut Noise, strength: f64, slowest: f64) -> Self {
        let mut waves: Vec<[f64; 3]> = (0..7)
            .map(|i| {
                let frequency = slowest * 1.75_f64.powi(i) * (0.8 + 0.4 * random.uniform());
                [slowest / frequency * (0.6 + 0.8 * random.uniform()), frequency, random.uniform() * TAU]
            })
            .collect();
        let power: f64 = waves.iter().map(|wave| wave[0].powi(2) / 2.0).sum();
        for wave in &mut waves {
            wave[0] *= strength / power.sqrt();
        }
        Self { waves }
    }

    /// Returns the value at `time` in seconds.
    pub(super) fn at(&self, time: f64) -> f64 {
        self.waves.iter().map(|[strength, frequency, phase]| strength * (TAU * frequency * time + phase).sin()).sum()
    }
}

/// How a living person keeps before a camera.
pub(super) struct Life {
    yaw: Wander,
    pitch: Wander,
    roll: Wander,
    sway: [Wander; 2],
    /// Looks aside: when, for how long, how far in degrees.
    looks: Vec<[f64; 3]>,
    /// Blinks: when, and for how long.
    blinks: Vec<[f64; 2]>,
    /// Words: when, for how long, syllables a second.
    words: Vec<[f64; 3]>,
}

/// What a person does.
#[derive(Clone, Copy)]
pub(super) enum Manner {
    /// Looks at the camera, now and then aside, and says a word at times.
    Attends,
    /// Turns the head to both sides, as a registration asks for.
    Turns,
    /// Talks.
    Talks,
}

impl Life {
    /// Draws `seconds` of a person's movements.
    pub(super) fn new(random: &mut Noise, manner: Manner, seconds: f64) -> Self {
        // Some people stand still like a post and some never do.
        let calm = 0.35 + 1.1 * random.uniform();
        let mut looks = Vec::new();
        let mut words = Vec::new();
        let mut blinks = Vec::new();
        // People blink every 2 to 5 seconds, for 100 to 300 milliseconds.
        let mut time = 0.4 + 2.6 * random.uniform();
        while time < seconds {
            blinks.push([time, 0.1 + 0.2 * random.uniform()]);
            time += 2.0 + 3.0 * random.uniform();
        }
        match manner {
            Manner::Attends => {
                let mut time = 1.0 + 5.0 * random.uniform();
                while time < seconds {
                    let side = if random.uniform() < 0.5 { -1.0 } else { 1.0 };
                    looks.push([time, 0.9 + 1.2 * random.uniform(), side * (6.0 + 14.0 * random.uniform())]);
                    time += 4.0 + 6.0 * random.uniform();
                }
                if random.uniform() < 0.5 {
                    let start = seconds * random.uniform();
                    words.push([start, 0.5 + 1.2 * random.uniform(), 3.0 + 2.0 * random.uniform()]);
                }
            }
            Manner::Turns => {
                let side = if random.uniform() < 0.5 { -1.0 } else { 1.0 };
                looks.push([0.8, 2.2, side * 26.0]);
                looks.push([3.6, 2.2, side * -26.0]);
                looks.push([6.8, 2.0, side * 18.0]);
            }
            Manner::Talks => words.push([0.3, seconds, 3.5 + random.uniform()]),
        }
        let mut wander = |strength: f64, slowest: f64| Wander::new(random, strength * calm, slowest);
        Self {
            yaw: wander(2.2, 0.09),
            pitch: wander(1.6, 0.1),
            roll: wander(1.1, 0.08),
            sway: [wander(0.045, 0.07), wander(0.025, 0.1)],
            looks,
            blinks,
            words,
        }
    }

    /// Returns the head at `time` in seconds.
    pub(super) fn at(&self, time: f64) -> Moment {
        let looked: f64 = self.looks.iter().map(|&[start, length, far]| far * hump(time, start, length, 0.35)).sum();
        let blink = self.blinks.iter().map(|&[start, length]| hump(time, start, length, 0.3)).fold(0.0, f64::max);
        let mouth = |&[start, length, syllables]: &[f64; 3]| {
            let inside = hump(time, start, length, 0.1);
            inside * (0.5 + 0.5 * (TAU * syllables * time).sin()) * (0.6 + 0.4 * (TAU * 0.61 * time).sin())
        };
        Moment {
            yaw: self.yaw.at(time) + looked,
            pitch: self.pitch.at(time) - 0.1 * looked.abs(),
            roll: self.roll.at(time) + 0.1 * looked,
            shift: [self.sway[0].at(time), self.sway[1].at(time)],
            blink,
            mouth: self.words.iter().map(mouth).fold(0.0, f64::max),
        }
    }
}

/// 0 outside of `start` and the `length` after it, 1 in its middle; `ramp` of the length goes up, as much down.
fn hump(time: f64, start: f64, length: f64, ramp: f64) -> f64 {
    let t = (time - start) / length;
    if !(0.0..=1.0).contains(&t) {
        return 0.0;
    }
    eased((t / ramp).min((1.0 - t) / ramp).min(1.0))
}

/// How somebody, or something, comes before the camera and stays there.
pub(super) struct Approach {
    /// The scale at the start, relative to the end.
    from: f64,
    /// How long the way takes, in seconds; 0 without one.
    seconds: f64,
    /// How far the way leads across the picture, in pixels.
    across: [f64; 2],
    steps: f64,
}

impl Approach {
    /// Draws a way: every second one starts at the place itself. `smallest` bounds the scale at the start from below.
    pub(super) fn new(random: &mut Noise, smallest: f64) -> Self {
        let walks = random.uniform() < 0.5;
        let from = (0.5 + 0.3 * random.uniform()).max(smallest).min(1.0);
        let across = [60.0 * (random.uniform() - 0.5), 20.0 * random.uniform()];
        let seconds = 1.5 + 2.5 * random.uniform();
        let steps = 1.6 + 0.4 * random.uniform();
        if walks { Self { from, seconds, across, steps } } else { Self { from: 1.0, seconds: 0.0, across, steps } }
    }

    /// Returns the scale at `time` and how far from the end of the way that is, in pixels.
    pub(super) fn at(&self, time: f64) -> (f64, [f64; 2]) {
        if time >= self.seconds {
            return (1.0, [0.0; 2]);
        }
        let left = 1.0 - eased(time / self.seconds);
        // Steps lift and lower.
        let bob = 2.5 * (TAU * self.steps * time).sin() * left;
        // An even walk makes the distance fall evenly, and so one over the scale.
        let scale = 1.0 / (1.0 + (1.0 / self.from - 1.0) * left);
        (scale, [self.across[0] * left, self.across[1] * left + bob])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_blink_every_few_seconds_for_a_moment() {
        for seed in 0..20 {
            let life = Life::new(&mut Noise::new(seed), Manner::Attends, 10.0);
            let blinks = &life.blinks;
            assert!((2..=5).contains(&blinks.len()), "{} blinks in 10 s", blinks.len());
            assert!(blinks.iter().all(|[_, length]| (0.1..=0.3).contains(length)));
            assert!(blinks.windows(2).all(|pair| pair[1][0] - pair[0][0] >= 2.0));
            let [start, length] = blinks[0];
            assert!(life.at(start + length / 2.0).blink > 0.99, "closed in the middle");
            assert_eq!(life.at(start - 0.01).blink, 0.0, "open before");
        }
    }

    #[test]
    fn a_wandering_value_has_its_strength_and_does_not_jump() {
        let wander = Wander::new(&mut Noise::new(4), 3.0, 0.1);
        let values: Vec<f64> = (0..60_000).map(|i| wander.at(f64::from(i) * 0.01)).collect();
        let rms = (values.iter().map(|v| v * v).sum::<f64>() / values.len() as f64).sqrt();
        assert!((rms - 3.0).abs() < 0.3, "{rms}");
        assert!(values.windows(2).all(|pair| (pair[1] - pair[0]).abs() < 0.5));
    }

    #[test]
    fn a_way_ends_at_its_place() {
        for seed in 0..10 {
            let way = Approach::new(&mut Noise::new(seed), 0.5);
            assert_eq!(way.at(5.0), (1.0, [0.0; 2]));
            assert!((0.5..=1.0).contains(&way.at(0.0).0));
        }
    }
}
