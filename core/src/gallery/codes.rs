//! Rows of a gallery in three bytes a value: one to scan by, and two more to rank by.
//!
//! A value is a whole number of units, and a unit is the row's largest value by [`LARGEST`]: of 24 bits, as many as an
//! `f32` keeps of the largest values. The upper byte alone says a product to within [`Scale::rest`], so a scan reads a
//! quarter of what the values are as `f32`.

use pulp::{Simd, WithSimd};

/// The largest code: 127 in the upper byte, and the most that the lower two hold. An `f32` holds it exactly.
const LARGEST: i32 = 127 * STEP + i16::MAX as i32;
/// What 1 in the upper byte counts.
const STEP: i32 = 1 << 16;

/// What the codes of a row stand for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Scale {
    /// The value of a code of 1.
    unit: f32,
    /// The length of the vector that is left when the upper bytes are taken away, or more.
    rest: f32,
}

/// Appends the codes of `row`, which has a length of 1 or 0.
pub(super) fn encode(row: &[f32], upper: &mut Vec<i8>, lower: &mut Vec<i16>) -> Scale {
    let largest = row.iter().fold(0.0f32, |most, value| most.max(value.abs()));
    let unit = f64::from(largest) / f64::from(LARGEST);
    let mut squares = 0.0;
    for value in row {
        let units = if unit > 0.0 { (f64::from(*value) / unit).round() } else { 0.0 };
        #[expect(clippy::cast_possible_truncation, reason = "no value is beyond the largest")]
        let (high, low) = {
            let code = (units as i32).clamp(-LARGEST, LARGEST);
            let high = (code + STEP / 2) >> 16;
            (high as i8, (code - high * STEP) as i16)
        };
        squares += f64::from(low).powi(2);
        upper.push(high);
        lower.push(low);
    }
    #[expect(clippy::cast_possible_truncation, reason = "both are below 1; the second is rounded up")]
    let scale = Scale { unit: unit as f32, rest: (unit * squares.sqrt() * 1.000_001) as f32 };
    scale
}

/// Writes the values of a row, whose codes are `upper` and `lower`, into `row`.
pub(super) fn decode(scale: Scale, upper: &[i8], lower: &[i16], row: &mut [f32]) {
    for ((value, high), low) in row.iter_mut().zip(upper).zip(lower) {
        #[expect(clippy::cast_precision_loss, reason = "the largest code is below 2^24")]
        let code = (i32::from(*high) * STEP + i32::from(*low)) as f32;
        *value = scale.unit * code;
    }
}

/// A probe, as upper bytes are multiplied by.
pub(super) struct Probe<'a> {
    pub(super) values: &'a [f32],
    codes: Vec<i16>,
    /// What a sum of products of codes, times the unit of a row, is multiplied by.
    unit: f32,
    length: f32,
    /// How far a product may be off, apart from what the row's lower bytes are worth: for the rounding of the probe,
    /// and of sums of `f32`.
    slack: f32,
}

impl<'a> Probe<'a> {
    pub(super) fn new(values: &'a [f32]) -> Self {
        // No sum of products leaves an `i32`.
        let products = i32::try_from(values.len().max(1)).unwrap_or(i32::MAX).saturating_mul(127);
        let most = f64::from((i32::MAX / products).min(i32::from(i16::MAX)));
        let largest = values.iter().fold(0.0f32, |most, value| most.max(value.abs()));
        let unit = f64::from(largest) / most;
        let (mut length, mut rounded) = (0.0, 0.0);
        let code = |value: &f32| {
            let units = if unit > 0.0 { (f64::from(*value) / unit).round() } else { 0.0 };
            length += f64::from(*value).powi(2);
            rounded += (f64::from(*value) - units * unit).powi(2);
            #[expect(clippy::cast_possible_truncation, reason = "no value is beyond the largest")]
            let code = units as i16;
            code
        };
        let codes = values.iter().map(code).collect();
        #[expect(clippy::cast_precision_loss, reason = "dimensions are small")]
        let terms = values.len() as f64 + 16.0;
        let (length, rounded) = (length.sqrt(), rounded.sqrt());
        // A row is no longer than 1, and its upper bytes no longer than 1.01: their rest is below 0.01 times the row's
        // largest value and the square root of the dimension.
        let slack = 2.0 * rounded + terms * f64::from(f32::EPSILON) * length;
        #[expect(clippy::cast_possible_truncation, reason = "all are small")]
        let probe = Self {
            values,
            codes,
            unit: (unit * f64::from(STEP)) as f32,
            length: (length * 1.000_001) as f32,
            slack: (slack * 1.000_001) as f32,
        };
        probe
    }

    /// Returns the most that the product with a row can be, given the sum over the codes' products.
    #[inline]
    pub(super) fn most(&self, scale: Scale, sum: i32) -> f32 {
        #[expect(clippy::cast_precision_loss, reason = "the slack holds the rounding")]
        let about = scale.unit * self.unit * sum as f32;
        about + scale.rest * self.length + self.slack
    }

    /// Returns the work of multiplying the rows of `upper` into `sums`.
    pub(super) fn sums<'b>(&'b self, upper: &'b [i8], sums: &'b mut [i32]) -> Sums<'b> {
        Sums { upper, probe: &self.codes, sums }
    }
}

/// The sum of products of each row's upper bytes and the probe's codes.
///
/// The compiler makes it multiply pairs of 16 bits into 32, which x86-64 and ARM have instructions for: 20 GB/s on one
/// core of an AMD EPYC with AVX2, where memory delivers less.
pub(super) struct Sums<'a> {
    upper: &'a [i8],
    probe: &'a [i16],
    sums: &'a mut [i32],
}

impl WithSimd for Sums<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for (row, sum) in self.upper.chunks_exact(self.probe.len()).zip(self.sums) {
            *sum = row.iter().zip(self.probe).map(|(a, b)| i32::from(i16::from(*a)) * i32::from(*b)).sum();
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn unit(raw: &[f32]) -> Vec<f32> {
        let length = raw.iter().map(|value| f64::from(*value).powi(2)).sum::<f64>().sqrt();
        raw.iter().map(|value| if length > 0.0 { (f64::from(*value) / length) as f32 } else { 0.0 }).collect()
    }

    fn vectors(dimension: usize) -> impl Strategy<Value = Vec<f32>> {
        // Ordinary ones, those of few large values, and those of nothing.
        let value = prop_oneof![8 => -1.0f32..1.0, 1 => -1000.0f32..1000.0, 1 => Just(0.0f32), 1 => -1e-6f32..1e-6];
        prop::collection::vec(value, dimension).prop_map(|raw| unit(&raw))
    }

    proptest! {
        #[test]
        fn no_product_is_beyond_its_bound(
            (row, probe) in prop::sample::select(vec![1usize, 2, 5, 64, 128, 512, 4099])
                .prop_flat_map(|dimension| (vectors(dimension), vectors(dimension))),
        ) {
            let (mut upper, mut lower, mut decoded) = (Vec::new(), Vec::new(), vec![0.0; row.len()]);
            let scale = encode(&row, &mut upper, &mut lower);
            decode(scale, &upper, &lower, &mut decoded);
            for (kept, given) in decoded.iter().zip(&row) {
                prop_assert!((kept - given).abs() <= 1.5e-7, "{kept} {given}");
            }
            let coded = Probe::new(&probe);
            let mut sums = [0];
            pulp::Arch::new().dispatch(coded.sums(&upper, &mut sums));
            let product: f64 = decoded.iter().zip(&probe).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
            let in_order: f32 = decoded.iter().zip(&probe).map(|(a, b)| a * b).sum();
            let most = coded.most(scale, sums[0]);
            prop_assert!(f64::from(most) >= product && most >= in_order, "{most} {product} {in_order}");
            // A bound that admits everybody would bound nothing.
            prop_assert!(f64::from(most) - product < 0.06, "{most} {product}");
        }
    }

    #[test]
    fn codes_at_the_ends_of_their_range_are_kept() {
        let row = unit(&[1.0, -1.0, 0.5, -0.5]);
        let (mut upper, mut lower, mut decoded) = (Vec::new(), Vec::new(), [0.0; 4]);
        let scale = encode(&row, &mut upper, &mut lower);
        assert_eq!((upper[0], upper[1], lower[0], lower[1]), (127, -127, i16::MAX, -i16::MAX));
        decode(scale, &upper, &lower, &mut decoded);
        for (kept, given) in decoded.iter().zip(&row) {
            assert!((kept - given).abs() <= 1e-7, "{kept} {given}");
        }
    }
}
