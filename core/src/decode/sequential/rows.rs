//! Rows of components to rows of a picture: color that was kept coarser is interpolated, and turned into RGB.

/// Fills `out` with twice as many values as `near` has, or as many, between `near` and the row beyond: weighed 3 to 1
/// in both directions, as a point a quarter of the way lies. Halves are rounded up and down in turn, as libjpeg does.
#[inline(always)]
pub(super) fn enlarge(near: &[u8], far: Option<&[u8]>, across: usize, sums: &mut Vec<u16>, out: &mut [u8]) {
    sums.clear();
    let near = near.iter().map(|near| u16::from(*near));
    let Some(far) = far else {
        sums.extend(near);
        return widen::<0>(sums, out);
    };
    sums.extend(near.zip(far).map(|(near, far)| 3 * near + u16::from(*far)));
    if across == 2 {
        return widen::<2>(sums, out);
    }
    for (out, sum) in out.iter_mut().zip(sums.iter()) {
        *out = ((sum + 2) >> 2) as u8;
    }
}

/// Fills `out` with twice as many values as `sums` has, which stand for 2^`BITS` times themselves.
#[inline(always)]
fn widen<const BITS: u32>(sums: &[u16], out: &mut [u8]) {
    let [first, .., last] = sums else {
        // One alone.
        out.fill(sums.first().map_or(0, |sum| ((sum + (1 << BITS >> 1)) >> BITS) as u8));
        return;
    };
    let (left, right) = if BITS == 0 { (1, 2) } else { (8, 7) };
    let end = 2 * sums.len() - 1;
    for (out, pair) in out[1..end].as_chunks_mut::<2>().0.iter_mut().zip(sums.windows(2)) {
        out[0] = ((3 * pair[0] + pair[1] + right) >> (BITS + 2)) as u8;
        out[1] = ((3 * pair[1] + pair[0] + left) >> (BITS + 2)) as u8;
    }
    out[0] = ((4 * first + left) >> (BITS + 2)) as u8;
    out[end] = ((4 * last + right) >> (BITS + 2)) as u8;
}

/// Pixels that are worked on side by side.
const RUN: usize = 32;

/// Fills `out` with the RGB of a row, by the factors of JFIF.
#[inline(always)]
pub(super) fn to_rgb(luma: &[u8], blue: &[u8], red: &[u8], out: &mut [u8]) {
    let (pixels, rest) = out.as_chunks_mut::<{ 3 * RUN }>();
    let runs = luma.as_chunks::<RUN>().0.iter().zip(blue.as_chunks::<RUN>().0).zip(red.as_chunks::<RUN>().0);
    let whole = pixels.len() * RUN;
    for (pixels, ((luma, blue), red)) in pixels.iter_mut().zip(runs) {
        run(luma, blue, red, pixels);
    }
    let pixels = rest.as_chunks_mut::<3>().0.iter_mut();
    for (pixel, ((luma, blue), red)) in pixels.zip(luma[whole..].iter().zip(&blue[whole..]).zip(&red[whole..])) {
        *pixel = rgb(*luma, *blue, *red);
    }
}

#[inline(always)]
fn run(luma: &[u8; RUN], blue: &[u8; RUN], red: &[u8; RUN], out: &mut [u8; 3 * RUN]) {
    for i in 0..RUN {
        let [r, g, b] = rgb(luma[i], blue[i], red[i]);
        out[3 * i] = r;
        out[3 * i + 1] = g;
        out[3 * i + 2] = b;
    }
}

#[inline(always)]
fn rgb(luma: u8, blue: u8, red: u8) -> [u8; 3] {
    // 16 bits behind the point.
    let (y, b, r) = (i32::from(luma) << 16 | 1 << 15, i32::from(blue) - 128, i32::from(red) - 128);
    let byte = |value: i32| (value >> 16).clamp(0, 255) as u8;
    [byte(y + 91_881 * r), byte(y - 22_554 * b - 46_802 * r), byte(y + 116_130 * b)]
}
