//! The inverse cosine transform of a block, at full size or averaged down to a part of it.

/// A block of coefficients, rows of rising vertical frequency, with how far they reach.
pub(super) struct Block {
    pub(super) values: [f32; 64],
    /// All places with a coefficient, or'd: the highest bits of row and column.
    pub(super) places: usize,
}

/// Returns what each of `SIDE` pixels has of each of a row's (or column's) eight frequencies: the mean of its share of
/// the eight pixels.
const fn basis<const SIDE: usize>() -> [[f32; 8]; SIDE] {
    // cos(k pi / 16) / 2.
    const HALF: [f64; 9] = [
        0.5,
        0.490_392_640_201_615_2,
        0.461_939_766_255_643_4,
        0.415_734_806_151_272_6,
        0.353_553_390_593_273_8,
        0.277_785_116_509_801_1,
        0.191_341_716_182_544_9,
        0.097_545_161_008_064_13,
        0.0,
    ];
    let mut out = [[0.0; 8]; SIDE];
    let share = 8 / SIDE;
    let mut x = 0;
    while x < 8 {
        let mut u = 0;
        while u < 8 {
            let turn = (2 * x + 1) * u % 32;
            let folded = if turn > 16 { 32 - turn } else { turn };
            let half = if folded > 8 { -HALF[16 - folded] } else { HALF[folded] };
            let weight = if u == 0 { HALF[4] } else { half };
            out[x / share][u] += (weight / share as f64) as f32;
            u += 1;
        }
        x += 1;
    }
    out
}

const fn turned<const SIDE: usize>(basis: [[f32; 8]; SIDE]) -> [[f32; SIDE]; 8] {
    let mut out = [[0.0; SIDE]; 8];
    let mut x = 0;
    while x < SIDE {
        let mut u = 0;
        while u < 8 {
            out[u][x] = basis[x][u];
            u += 1;
        }
        x += 1;
    }
    out
}

/// The weights, for each frequency and for each pixel.
struct Bases<const SIDE: usize>;

impl<const SIDE: usize> Bases<SIDE> {
    const OF_FREQUENCY: [[f32; SIDE]; 8] = turned(basis::<SIDE>());
    const OF_PIXEL: [[f32; 8]; SIDE] = basis::<SIDE>();
}

/// Puts the `SIDE` x `SIDE` pixels of `block` into `plane` from `at` on. `FUSED` where the processor multiplies and
/// adds at once.
#[inline(always)]
pub(super) fn put<const SIDE: usize, const FUSED: bool>(block: &Block, plane: &mut [u8], at: usize, stride: usize) {
    if block.places == 0 || SIDE == 1 {
        let byte = byte(block.values[0] / 8.0);
        for y in 0..SIDE {
            plane[at + y * stride..][..SIDE].fill(byte);
        }
    } else if block.places & 0b100_100 == 0 {
        put_low::<SIDE, 4, FUSED>(block, plane, at, stride);
    } else {
        put_low::<SIDE, 8, FUSED>(block, plane, at, stride);
    }
}

/// The same for a block whose coefficients all lie in the first `LOW` rows and columns.
#[inline(always)]
fn put_low<const SIDE: usize, const LOW: usize, const FUSED: bool>(
    block: &Block,
    plane: &mut [u8],
    at: usize,
    stride: usize,
) {
    let mut half = [[0.0f32; LOW]; SIDE];
    let input: [[f32; LOW]; LOW] = std::array::from_fn(|v| std::array::from_fn(|u| block.values[8 * v + u]));
    // The lower half of the outputs differs from the upper one by the sign of the odd frequencies.
    for y in 0..SIDE / 2 {
        let weights = &Bases::<SIDE>::OF_PIXEL[y];
        let (mut even, mut odd) = ([0.0; LOW], [0.0; LOW]);
        for v in (0..LOW).step_by(2) {
            add::<LOW, FUSED>(&mut even, weights[v], &input[v]);
            add::<LOW, FUSED>(&mut odd, weights[v + 1], &input[v + 1]);
        }
        for u in 0..LOW {
            half[y][u] = even[u] + odd[u];
            half[SIDE - 1 - y][u] = even[u] - odd[u];
        }
    }
    for (y, half) in half.iter().enumerate() {
        let mut values = [0.0; SIDE];
        for (weight, frequency) in half.iter().zip(&Bases::<SIDE>::OF_FREQUENCY) {
            add::<SIDE, FUSED>(&mut values, *weight, frequency);
        }
        let row = &mut plane[at + y * stride..][..SIDE];
        for (to, value) in row.iter_mut().zip(values) {
            *to = byte(value);
        }
    }
}

#[inline(always)]
fn add<const LANES: usize, const FUSED: bool>(sum: &mut [f32; LANES], weight: f32, values: &[f32; LANES]) {
    for (sum, value) in sum.iter_mut().zip(values) {
        *sum = if FUSED { weight.mul_add(*value, *sum) } else { weight * value + *sum };
    }
}

/// Returns the pixel of a value around 0, rounded to even.
#[inline(always)]
fn byte(value: f32) -> u8 {
    // At this size the lowest bit of a float is 1.
    const WHOLE: f32 = 8_388_608.0;
    (value + WHOLE).clamp(WHOLE, WHOLE + 255.0).to_bits() as u8
}
