use image::ImageReader;
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
use proptest::prelude::*;

use super::super::jpeg_scans::{Coverage, coverage};
use super::{Header, Reduction, RgbImage, Step};

const SAMPLINGS: [SamplingFactor; 4] =
    [SamplingFactor::F_1_1, SamplingFactor::F_2_1, SamplingFactor::F_1_2, SamplingFactor::F_2_2];
const REDUCTIONS: [Reduction; 4] = [Reduction::Full, Reduction::Half, Reduction::Quarter, Reduction::Eighth];

/// Smooth colors with a fine pattern in one corner, in gray: fine colors are what a coarser sampling loses.
fn pixels(width: u16, height: u16) -> Vec<u8> {
    let pixel = |x: u16, y: u16| {
        let fine = if x < 40 && y < 40 { (x * 37 + y * 91) % 30 } else { 0 } as u8;
        let wave = |at: u16, of: u16| 110.0 + 90.0 * (f32::from(at) / f32::from(of) * 5.0).sin();
        [wave(x, width), wave(y, height), wave(x + y, width + height)].map(|value| value as u8 + fine)
    };
    (0..height).flat_map(|y| (0..width).flat_map(move |x| pixel(x, y))).collect()
}

fn jpeg((width, height): (u16, u16), set: impl Fn(&mut Encoder<&mut Vec<u8>>)) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, 90);
    set(&mut encoder);
    encoder.encode(&pixels(width, height), width, height, ColorType::Rgb).unwrap();
    bytes
}

/// Whether the decoder takes the picture.
fn is_known(bytes: &[u8]) -> bool {
    Header::read(bytes).is_some()
}

/// The decoder with the size that the header tells.
fn decode(bytes: &[u8], reduction: Reduction) -> Option<Step<RgbImage>> {
    let header = Header::read(bytes)?;
    super::decode(bytes, (header.width as u32, header.height as u32), reduction)
}

#[test]
fn a_picture_of_another_size_than_was_allowed_is_not_taken() {
    let bytes = jpeg((90, 70), |_| {});
    assert!(super::decode(&bytes, (90, 70), Reduction::Full).is_some());
    assert!(super::decode(&bytes, (90, 71), Reduction::Full).is_none());
}

fn ours(bytes: &[u8], reduction: Reduction) -> RgbImage {
    decode(bytes, reduction).expect("of this kind").ok().expect("whole")
}

/// The mean and the largest difference.
fn apart(a: &[u8], b: &[u8]) -> (f64, u8) {
    assert_eq!(a.len(), b.len());
    let differences = || a.iter().zip(b).map(|(a, b)| a.abs_diff(*b));
    (differences().map(f64::from).sum::<f64>() / a.len() as f64, differences().max().unwrap_or(0))
}

#[test]
fn it_shows_what_the_general_decoder_shows() {
    for sampling in SAMPLINGS {
        for size in [(1, 1), (7, 9), (16, 16), (33, 17), (90, 71), (257, 130)] {
            for restart in [0, 1, 5] {
                let bytes = jpeg(size, |encoder| {
                    encoder.set_sampling_factor(sampling);
                    if restart > 0 {
                        encoder.set_restart_interval(restart);
                    }
                });
                let theirs = image::load_from_memory(&bytes).unwrap().into_rgb8();
                let (mean, most) = apart(&ours(&bytes, Reduction::Full), &theirs);
                // Half a level of rounding, more where color is interpolated; a wrong picture errs by over 50.
                assert!(mean < 0.5 && most <= 12, "{sampling:?} {size:?} {restart}: {mean} {most}");
            }
        }
    }
}

#[test]
fn gray_is_gray() {
    let gray: Vec<u8> = pixels(61, 43).iter().step_by(3).copied().collect();
    let mut bytes = Vec::new();
    Encoder::new(&mut bytes, 95).encode(&gray, 61, 43, ColorType::Luma).unwrap();
    let theirs = image::load_from_memory(&bytes).unwrap().into_rgb8();
    let (mean, most) = apart(&ours(&bytes, Reduction::Full), &theirs);
    assert!(mean < 0.1 && most <= 1, "{mean} {most}");
}

#[test]
fn a_reduced_picture_has_the_mean_of_its_pixels() {
    for sampling in SAMPLINGS {
        for (width, height) in [(90, 71), (257, 130)] {
            let bytes = jpeg((width, height), |encoder| encoder.set_sampling_factor(sampling));
            let full = ours(&bytes, Reduction::Full);
            for reduction in REDUCTIONS {
                let side = reduction.factor();
                let reduced = ours(&bytes, reduction);
                assert_eq!(reduced.dimensions(), (full.width().div_ceil(side), full.height().div_ceil(side)));
                // Only whole ones: at the edge there are pixels that the full picture does not show.
                let (across, down) = (full.width() / side, full.height() / side);
                let mut off = Vec::new();
                for (x, y) in (0..down).flat_map(|y| (0..across).map(move |x| (x, y))) {
                    for (channel, value) in reduced.get_pixel(x, y).0.iter().enumerate() {
                        let those = (0..side * side).map(|i| full.get_pixel(x * side + i % side, y * side + i / side));
                        let mean = those.map(|p| f64::from(p.0[channel])).sum::<f64>() / f64::from(side * side);
                        off.push((mean - f64::from(*value)).abs());
                    }
                }
                let mean = off.iter().sum::<f64>() / off.len() as f64;
                let most = off.iter().copied().fold(0.0, f64::max);
                // Coarser color is interpolated; where it is coarser in one direction, it is so from fewer values too.
                let allowed = match sampling {
                    SamplingFactor::F_1_1 => (0.6, 3.0),
                    SamplingFactor::F_2_2 => (1.5, 12.0),
                    _ => (7.0, 30.0),
                };
                assert!(
                    mean < allowed.0 && most < allowed.1,
                    "{sampling:?} 1/{side} of {width}x{height}: {mean} {most}"
                );
            }
        }
    }
}

#[test]
fn other_codings_are_left_to_the_general_decoder() {
    let progressive = jpeg((90, 70), |encoder| encoder.set_progressive(true));
    let apart = jpeg((90, 70), |encoder| encoder.set_optimized_huffman_tables(true));
    let mut inks = Vec::new();
    Encoder::new(&mut inks, 90).encode(&[9; 16 * 16 * 4], 16, 16, ColorType::Cmyk).unwrap();
    let mut png = std::io::Cursor::new(Vec::new());
    RgbImage::new(4, 4).write_to(&mut png, image::ImageFormat::Png).unwrap();
    for other in [&progressive, &apart, &inks, png.get_ref(), &Vec::new()] {
        assert!(!is_known(other) && decode(other, Reduction::Full).is_none());
    }
    // Colors that are kept as they are, by the names of the components.
    let mut rgb = jpeg((16, 16), |_| {});
    let frame = rgb.windows(2).position(|marker| marker == [0xFF, 0xC0]).unwrap();
    let scan = rgb.windows(2).position(|marker| marker == [0xFF, 0xDA]).unwrap();
    for (i, name) in b"RGB".iter().enumerate() {
        rgb[frame + 10 + 3 * i] = *name;
        rgb[scan + 5 + 2 * i] = *name;
    }
    assert!(!is_known(&rgb));
}

#[test]
fn a_second_scan_is_left_to_the_general_decoder() {
    let bytes = jpeg((16, 16), |_| {});
    let scan = bytes.windows(2).position(|marker| marker == [0xFF, 0xDA]).unwrap();
    let twice = [&bytes[..bytes.len() - 2], &bytes[scan..]].concat();
    assert!(is_known(&twice) && decode(&twice, Reduction::Full).is_none());
}

proptest! {
    /// Of a damaged file both say the same, and nothing panics: not even by an overflow.
    #[test]
    fn a_damaged_picture_is_cut_off_where_the_check_says_so(
        sampling in 0..4usize,
        restart in prop::option::of(1..9u16),
        changes in prop::collection::vec((0.0..1.0f64, any::<u8>()), 1..6),
        part in 0.3..1.0f64,
    ) {
        let mut bytes = jpeg((70, 50), |encoder| {
            encoder.set_sampling_factor(SAMPLINGS[sampling]);
            if let Some(restart) = restart {
                encoder.set_restart_interval(restart);
            }
        });
        let length = bytes.len() as f64;
        for (at, byte) in changes {
            bytes[(at * (length - 1.0)) as usize] = byte;
        }
        bytes.truncate((part * 1.2 * length) as usize);
        // The headers that `open` refuses are not this module's.
        let reader = ImageReader::new(std::io::Cursor::new(&bytes)).with_guessed_format().unwrap();
        prop_assume!(reader.into_decoder().is_ok());
        for reduction in REDUCTIONS {
            match decode(&bytes, reduction) {
                Some(Ok(picture)) => {
                    prop_assert!(picture.width() > 0);
                    prop_assert_ne!(coverage(&bytes), Coverage::Cut);
                }
                Some(Err(_)) => prop_assert_ne!(coverage(&bytes), Coverage::Whole),
                None => {}
            }
        }
    }
}
