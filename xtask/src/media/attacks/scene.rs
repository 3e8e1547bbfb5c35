//! The empty room that a fixed camera sees: a wall with something on it, a row of lockers, a window, or a corridor.

use super::super::clip::Noise;
use super::sensor::blurred;
use super::sheet::{Color, Sheet, grain, mix, opaque, step};

/// Wall paints: white, cream, gray, pale green, pale blue, ochre.
const PAINTS: [[f32; 3]; 6] = [
    [196.0, 194.0, 188.0],
    [190.0, 180.0, 158.0],
    [142.0, 144.0, 148.0],
    [150.0, 168.0, 150.0],
    [146.0, 160.0, 178.0],
    [178.0, 150.0, 112.0],
];

/// Doors, lockers and frames: oak, beech, gray, blue, dark brown.
const FURNITURE: [[f32; 3]; 5] =
    [[138.0, 98.0, 60.0], [176.0, 138.0, 96.0], [120.0, 124.0, 128.0], [74.0, 96.0, 130.0], [78.0, 56.0, 44.0]];

/// Paper and print on the wall.
const INKS: [[f32; 3]; 6] = [
    [40.0, 42.0, 48.0],
    [180.0, 60.0, 52.0],
    [52.0, 92.0, 160.0],
    [70.0, 132.0, 84.0],
    [208.0, 164.0, 60.0],
    [120.0, 120.0, 126.0],
];

/// Draws an empty room of `width` x `height` pixels.
pub(super) fn room(width: usize, height: usize, random: &mut Noise) -> Sheet {
    let seed = (random.uniform() * 1e9) as u64;
    let paint = pick(&PAINTS, random);
    let below = pick(&PAINTS, random);
    // Two-tone walls have their edge at the height of a chair's back or so.
    let edge = if random.uniform() < 0.4 { height as f64 * within(random, 0.55, 0.8) } else { 2.0 * height as f64 };
    let mut room = Room {
        seed,
        size: [width as f64, height as f64],
        sheet: Sheet::from_fn(width, height, |x, y| {
            let plaster = 3.0 * grain(seed, x as f64 / 9.0, y as f64 / 9.0, 3)
                + 5.0 * grain(seed ^ 5, x as f64 / 90.0, y as f64 / 90.0, 2);
            let paint = mix(paint, below.map(|v| v * 0.8), step(edge, edge + 2.0, y as f64));
            opaque(paint.map(|v| v + plaster))
        }),
    };
    match (random.uniform() * 5.0) as u32 {
        0 => room.door_and_board(random),
        1 => room.lockers(random),
        2 => room.window(random),
        3 => room.corridor(random),
        _ => room.shelves(random),
    }
    room.lit(random)
}

fn pick<T: Copy>(from: &[T], random: &mut Noise) -> T {
    from[((random.uniform() * from.len() as f64) as usize).min(from.len() - 1)]
}

fn within(random: &mut Noise, low: f64, high: f64) -> f64 {
    low + (high - low) * random.uniform()
}

struct Room {
    seed: u64,
    size: [f64; 2],
    sheet: Sheet,
}

impl Room {
    fn door_and_board(&mut self, random: &mut Noise) {
        let wood = pick(&FURNITURE, random);
        let (left, width) = (within(random, 0.02, 0.65), within(random, 0.24, 0.34));
        let top = within(random, -0.05, 0.12);
        self.board([left - 0.018, top - 0.03, left + width + 0.018, 1.1], wood.map(|v| v * 0.62), 0.0);
        self.board([left, top, left + width, 1.1], wood, 10.0);
        for row in [0.06, 0.56] {
            let panel = [left + 0.04, top + row, left + width - 0.04, top + row + 0.42];
            self.board(panel, wood.map(|v| v * 0.72), 8.0);
            self.board([panel[0] + 0.008, panel[1] + 0.012, panel[2], panel[3]], wood.map(|v| v * 1.06), 10.0);
        }
        self.board([left + 0.015, 0.55, left + 0.055, 0.57], [186.0, 186.0, 180.0], 0.0);
        let free = if left > 0.4 { [0.03, left - 0.05] } else { [left + width + 0.05, 0.97] };
        self.poster([free[0], within(random, 0.1, 0.25), free[1], within(random, 0.5, 0.75)], random);
        self.floor(random);
    }

    fn lockers(&mut self, random: &mut Noise) {
        let metal = pick(&FURNITURE, random);
        let (count, top) = (within(random, 5.0, 9.0).floor(), within(random, 0.05, 0.3));
        for i in 0..count as u32 {
            let (x0, x1) = (f64::from(i) / count, f64::from(i + 1) / count);
            let tone = 0.94 + 0.12 * random.uniform() as f32;
            self.board([x0, top, x1, 0.93], metal.map(|v| v * 0.45), 0.0);
            self.board([x0 + 0.006, top + 0.008, x1 - 0.003, 0.92], metal.map(|v| v * tone), 2.0);
            for slit in 0..4 {
                let y = top + 0.06 + 0.02 * f64::from(slit);
                self.board([x0 + 0.03, y, x1 - 0.03, y + 0.007], metal.map(|v| v * 0.4), 0.0);
            }
            self.board([x1 - 0.026, 0.55, x1 - 0.016, 0.6], [60.0; 3], 0.0);
        }
        self.floor(random);
    }

    fn window(&mut self, random: &mut Noise) {
        let (left, width) = (within(random, 0.05, 0.5), within(random, 0.3, 0.45));
        let (top, bottom) = (within(random, 0.0, 0.15), within(random, 0.5, 0.7));
        self.board([left - 0.02, top - 0.03, left + width + 0.02, bottom + 0.03], [222.0, 220.0, 214.0], 0.0);
        self.board([left, top, left + width, bottom], [176.0, 200.0, 214.0], 14.0);
        if random.uniform() < 0.6 {
            let slats = 16;
            for i in 0..slats {
                let y = top + (bottom - top) * f64::from(i) / f64::from(slats);
                self.board([left, y, left + width, y + (bottom - top) / 26.0], [214.0, 210.0, 196.0], 2.0);
            }
        } else {
            let middle = left + width / 2.0;
            self.board([middle - 0.008, top, middle + 0.008, bottom], [224.0, 222.0, 216.0], 0.0);
            self.board([left, bottom - 0.2, left + width, bottom], [96.0, 122.0, 84.0], 30.0);
        }
        let free = if left > 0.3 { [0.02, left - 0.06] } else { [left + width + 0.06, 0.98] };
        self.poster([free[0], 0.12, free[1], 0.5], random);
        self.board([0.0, 0.84, 1.0, 0.86], pick(&FURNITURE, random), 6.0);
    }

    fn corridor(&mut self, random: &mut Noise) {
        let vanish = [within(random, 0.35, 0.65), within(random, 0.32, 0.42)];
        let far = within(random, 0.1, 0.16);
        let [w, h] = self.size;
        let (seed, floor, door) = (self.seed, pick(&FURNITURE, random), pick(&FURNITURE, random));
        let lamp = within(random, 0.12, 0.2);
        for y in 0..self.sheet.height {
            for x in 0..self.sheet.width {
                let (dx, dy) = (x as f64 / w - vanish[0], (y as f64 / h - vanish[1]) * h / w);
                // The walls of a box that is seen from inside: the nearest of its four sides.
                let (across, down) = (dx.abs() / 0.5, if dy > 0.0 { dy / 0.42 } else { -dy / 0.26 });
                let near = across.max(down).max(far);
                let depth = 1.0 / near;
                let pixel = &mut self.sheet.pixels[y * self.sheet.width + x];
                let own = [pixel[0], pixel[1], pixel[2]];
                let color = if near <= far {
                    let inside = across < far * 0.5 && down < far * 1.2 && dy > -far * 0.14;
                    mix(own.map(|v| v * 0.8), door, if inside { 1.0 } else { 0.0 })
                } else if across >= down {
                    let opening = (depth * 1.6 + if dx > 0.0 { 0.4 } else { 0.0 }).fract();
                    let is_door = opening > 0.55 && down / across < if dy > 0.0 { 1.0 } else { 0.5 };
                    let shade = if dx > 0.0 { 0.86 } else { 0.98 };
                    let tone = mix(own, door, if is_door { 1.0 } else { 0.0 });
                    let frame = (opening - 0.55).abs() < 0.02 || (opening > 0.985 && is_door);
                    tone.map(|v| v * shade * if frame { 0.6 } else { 1.0 })
                } else if dy > 0.0 {
                    let tile = ((depth * 4.0).fract() < 0.06) || ((dx / near * 4.0 + 40.0).fract() < 0.03);
                    let speckle = 8.0 * grain(seed ^ 11, dx / near * 60.0, depth * 40.0, 2);
                    floor.map(|v| v * 0.7 + 38.0 + speckle - if tile { 16.0 } else { 0.0 })
                } else {
                    let light = (depth * 1.3).fract() < 0.4 && (dx / near).abs() < lamp;
                    if light { [250.0, 250.0, 244.0] } else { [204.0, 204.0, 200.0] }
                };
                let dim = (0.72 + 0.28 * near.min(1.0)) as f32;
                *pixel = opaque(color.map(|v| v * dim));
            }
        }
    }

    fn shelves(&mut self, random: &mut Noise) {
        let wood = pick(&FURNITURE, random);
        let (left, right) = (within(random, -0.1, 0.2), within(random, 0.7, 1.1));
        self.board([left, 0.0, right, 0.95], wood.map(|v| v * 0.4), 4.0);
        for row in 0..4 {
            let (top, bottom) = (f64::from(row) * 0.24, f64::from(row) * 0.24 + 0.22);
            let mut x = left + 0.01;
            while x < right - 0.02 {
                let thick = within(random, 0.012, 0.034);
                let tall = within(random, 0.12, 0.2);
                let ink = mix(pick(&INKS, random), [150.0; 3], 0.35 * random.uniform() as f32);
                if random.uniform() > 0.1 {
                    self.board([x, bottom - tall, x + thick - 0.002, bottom], ink, 6.0);
                    let label = bottom - tall * 0.7;
                    self.board([x + thick * 0.25, label, x + thick * 0.7, label + 0.04], [204.0, 200.0, 188.0], 2.0);
                }
                x += thick;
            }
            self.board([left, bottom, right, bottom + 0.022], wood, 6.0);
            let _ = top;
        }
        self.poster([right + 0.03, 0.15, right + 0.25, 0.55], random);
    }

    /// A sheet of paper with blocks and lines on it.
    fn poster(&mut self, [x0, y0, x1, y1]: [f64; 4], random: &mut Noise) {
        if x1 - x0 < 0.06 {
            return;
        }
        self.board([x0 - 0.004, y0 - 0.004, x1 + 0.006, y1 + 0.01], [92.0, 88.0, 84.0], 0.0);
        self.board([x0, y0, x1, y1], mix([228.0, 226.0, 218.0], pick(&INKS, random), 0.25), 2.0);
        let (w, h) = (x1 - x0, y1 - y0);
        self.board([x0 + 0.06 * w, y0 + 0.05 * h, x1 - 0.06 * w, y0 + 0.4 * h], pick(&INKS, random), 26.0);
        self.board([x0 + 0.3 * w, y0 + 0.15 * h, x0 + 0.7 * w, y0 + 0.4 * h], pick(&INKS, random), 26.0);
        for line in 0..9 {
            let y = y0 + h * (0.46 + 0.055 * f64::from(line));
            let mut x = x0 + 0.08 * w;
            while x < x1 - 0.16 * w {
                let word = w * within(random, 0.04, 0.12);
                self.board([x, y, x + word, y + 0.022 * h], [70.0, 70.0, 76.0], 10.0);
                x += word + 0.03 * w;
            }
        }
    }

    fn floor(&mut self, random: &mut Noise) {
        let top = within(random, 0.88, 0.97);
        let stone = pick(&FURNITURE, random);
        self.board([0.0, top - 0.02, 1.0, top], [96.0, 92.0, 88.0], 2.0);
        self.board([0.0, top, 1.0, 1.1], stone.map(|v| v * 0.6 + 40.0), 12.0);
    }

    /// Fills a rectangle, in shares of the picture: left, top, right, bottom. `rough` is its texture in levels.
    fn board(&mut self, [x0, y0, x1, y1]: [f64; 4], color: [f32; 3], rough: f32) {
        let [w, h] = self.size;
        let (x0, x1, y0, y1) = (x0 * w, x1 * w, y0 * h, y1 * h);
        let seed = self.seed ^ (x0 * 131.0 + y0 * 17.0).to_bits();
        for y in y0.max(0.0) as usize..(y1.ceil().max(0.0) as usize).min(self.sheet.height) {
            for x in x0.max(0.0) as usize..(x1.ceil().max(0.0) as usize).min(self.sheet.width) {
                let inside =
                    |v: usize, low: f64, high: f64| ((v as f64 + 1.0).min(high) - (v as f64).max(low)).clamp(0.0, 1.0);
                let share = (inside(x, x0, x1) * inside(y, y0, y1)) as f32;
                // Grain runs downwards, as in wood.
                let texture = rough * grain(seed, x as f64 / 5.0, y as f64 / 38.0, 3);
                let pixel = &mut self.sheet.pixels[y * self.sheet.width + x];
                let color: Color = opaque(color.map(|v| v + texture));
                *pixel = mix(*pixel, color, share);
            }
        }
    }

    /// The room under a lamp: brighter near it, darker in the corners; out of focus, and paler than its paints.
    fn lit(mut self, random: &mut Noise) -> Sheet {
        let lamp = [within(random, 0.1, 0.9), within(random, -0.3, 0.3)];
        let fall = within(random, 0.15, 0.5);
        let pale = within(random, 0.15, 0.45) as f32;
        let [w, h] = self.size;
        let width = self.sheet.width;
        for _ in 0..1 + (within(random, 0.0, 5.0) * h / 480.0) as u32 {
            let soft = blurred(&self.sheet, 0.25);
            self.sheet.pixels = soft.into_iter().map(opaque).collect();
        }
        for (i, pixel) in self.sheet.pixels.iter_mut().enumerate() {
            let (px, py) = ((i % width) as f64, (i / width) as f64);
            let (x, y) = (px / w - lamp[0], py / h - lamp[1]);
            // Shadows of what stands elsewhere in the room.
            let shadow = 0.06 * grain(self.seed ^ 77, px / w * 2.5, py / h * 2.0, 2);
            let light = (1.12 - fall * x.hypot(y)) as f32 + shadow;
            let gray = (pixel[0] + pixel[1] + pixel[2]) / 3.0;
            let color = [pixel[0], pixel[1], pixel[2]].map(|v| v + (gray - v) * pale);
            *pixel = opaque(color.map(|v| (v * light).clamp(0.0, 255.0)));
        }
        self.sheet
    }
}
