use base64::prelude::{BASE64_STANDARD, Engine as _};
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

use super::*;

fn jpeg(optimized: bool) -> Vec<u8> {
    let (width, height) = (90u16, 70u16);
    let pixels: Vec<u8> = (0..height)
        .flat_map(|y| (0..width).flat_map(move |x| [(x * 2) as u8, (y * 3) as u8, ((x + y) % 97) as u8]))
        .collect();
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, 90);
    encoder.set_sampling_factor(SamplingFactor::F_2_2);
    // With tables of its own this encoder writes a scan for each component.
    encoder.set_optimized_huffman_tables(optimized);
    encoder.encode(&pixels, width, height, ColorType::Rgb).unwrap();
    bytes
}

#[test]
fn separate_scans_show_the_same_picture_as_joined_ones() {
    let (apart, joined) = (jpeg(true), jpeg(false));
    assert!(JpegHeader::read(&apart).scans_apart && !JpegHeader::read(&joined).scans_apart);
    let decoded = |bytes: &[u8]| decode(bytes, &DecodeLimits::default()).unwrap();
    let (apart, joined) = (decoded(&apart), decoded(&joined));
    // Two decoders smooth chroma differently: a few levels at edges, never a wrong picture (which errs by over
    // 100).
    let difference: f64 = apart.pixels().iter().zip(joined.pixels()).map(|(a, b)| f64::from(a.abs_diff(*b))).sum();
    let mean = difference / joined.pixels().len() as f64;
    assert!(mean < 3.0, "{mean}");
}

#[test]
fn a_jpeg_cut_off_anywhere_is_an_error_or_a_picture_and_no_panic() {
    for bytes in [jpeg(true), jpeg(false)] {
        for end in (0..bytes.len()).step_by(7) {
            let _ = decode(&bytes[..end], &DecodeLimits::default());
        }
        assert!(decode(&bytes[..bytes.len() / 4], &DecodeLimits::default()).is_err());
    }
}

/// A JPEG with a component that is finer than the first, found by fuzzing: zune-jpeg 0.5.15 panics on it where the
/// processor has AVX2.
const FINER_CHROMA: &str = "\
    /9j/4AAQSkZJ/////0YAAQIAAAEAAbIAAAD/wAARCAAQABgDABEAAREBAkEB/9sAQwADAgIDAgIDAwMDBAMDBQQIBQUEBAUKBwcGCAwI\
    CgoLCwsMDQ4SEA0OEQ4LCxAWEBETFBUVFQwPFxgWFBgSFBUU/9sAQwEDBAQFBAUJBQQQ2P/iAAUJFA0LDRQUFBQUFBQUFBQLDQ4SEA0O\
    EQ4LCxAWEBETFBUVFQwPFxgWFBgSFBUU/9sAQwEDBAQFBAUJBQUJFA0LDRQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQU\
    FBQUFBQUFBQUFBQUFBQU/8QAFgABAQEAAAAAAAAAAAAAAAAABwYI/8QAGRAAAQUAAAAAAAAAAAAAAAAAAAUHIzOh/8QAFwEBAQEBAAAA\
    AAAAAAAAAAAABgcFCf/EABkRAAIDAQAAAAAAAAAAAAAAAAAFBCEwYf/aAAgBAAAAPwDGaI19YcEBEa+sLyAiNfWHC8RGvrFggIjX1iwv\
    0Rr6xYcAABEAPwDAUPcstSh7llrUPcs5ZqHuWWtQ9yxAtah7AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
    AAAAAAAAAAAAAP/aAAgBAREAPwB1Ib9Dchv0NyG/Q7Ib9Dchv0NyG/T/ln//2doACAECEQA/AMBQ9yy1KHuWWtQ9yzlGoe5Za1D3LLWo\
    e5Z//9k=";

#[test]
fn a_picture_on_which_its_decoder_panics_is_an_error_or_a_picture() {
    let bytes = BASE64_STANDARD.decode(FINER_CHROMA).unwrap();
    match decode(&bytes, &DecodeLimits::default()) {
        Ok(frame) => assert_eq!((frame.width(), frame.height()), (24, 16)),
        Err(error) => assert_eq!(error.kind(), crate::ErrorKind::InvalidImage, "{error}"),
    }
}

/// A lossy WebP, which this crate has no encoder for: 40x40 pixels.
const LOSSY: &str = "\
    UklGRi4BAABXRUJQVlA4ICIBAAAwCACdASooACgAPzmGslS/qKQjLimb8CcJbACxHoSCv8hxP6RMK00wDeWCWyxxWmkCoynIEFouidpPaHhy\
    Y82lhQ4q6MlODwbgAAD+6hlCiRkj9fOB4p5ItRAverXrB01WU8dji1UL2lOqp/zxVSm14QqgstkGnii1bpgYS4+NYCNgczwsdUzuZopuld81\
    r2tuQ9R7AJfmhTlbhau0Vhef5kEW3G1euSzMZ0+3+hR+o0RyRednH0zdjRCJX3xmPyNJUiO53xkiXl0q0jgyORlA2CiJvXw3C0uXL+moP5Ny\
    w5Gt4YbinN4/Z65TpQ/1pQItyUVcrNhbdqUvX4bjC+mjpkKRoJP2J/ht2I64s2nuxA4+EtKyZfrON9CZgLGSoAAAAA==";

fn pictures() -> Vec<(&'static str, Vec<u8>)> {
    let picture = DynamicImage::ImageRgb8(RgbImage::from_fn(90, 70, |x, y| {
        image::Rgb([(x * 2) as u8, (y * 3) as u8, ((x * x + 7 * y) % 97) as u8])
    }));
    let written = |format| {
        let mut bytes = Cursor::new(Vec::new());
        picture.write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    };
    let encoded = |set: fn(&mut Encoder<&mut Vec<u8>>)| {
        let mut bytes = Vec::new();
        let mut encoder = Encoder::new(&mut bytes, 90);
        set(&mut encoder);
        encoder.encode(picture.as_bytes(), 90, 70, ColorType::Rgb).unwrap();
        bytes
    };
    vec![
        ("JPEG", jpeg(false)),
        ("JPEG, scans apart", jpeg(true)),
        ("JPEG, progressive", encoded(|encoder| encoder.set_progressive(true))),
        ("JPEG, with restarts", encoded(|encoder| encoder.set_restart_interval(5))),
        ("PNG", written(ImageFormat::Png)),
        ("WebP, lossless", written(ImageFormat::WebP)),
        ("WebP, lossy", BASE64_STANDARD.decode(LOSSY).unwrap()),
    ]
}

#[test]
fn a_picture_that_is_cut_off_is_an_error_and_a_jpeg_without_its_end_marker_is_not() {
    let limits = DecodeLimits::default();
    for (name, bytes) in pictures() {
        let whole = decode(&bytes, &limits).unwrap();
        for part in 20..99 {
            let cut = &bytes[..bytes.len() * part / 100];
            assert!(decode(cut, &limits).is_err(), "{name} of which {part} % are there");
        }
        if name.starts_with("JPEG") {
            let without_end = decode(&bytes[..bytes.len() - 2], &limits).unwrap();
            assert_eq!(without_end.pixels(), whole.pixels(), "{name}");
        }
        let followed = decode(&[&bytes[..], b"\r\n--frame\r\n"].concat(), &limits).unwrap();
        assert_eq!(followed.pixels(), whole.pixels(), "{name}");
    }
}

/// As a program writes it that was interrupted, and ends its file all the same.
#[test]
fn an_end_marker_behind_half_a_picture_makes_it_no_whole_one() {
    let (limits, iend) = (DecodeLimits::default(), *b"\0\0\0\0IEND\xae\x42\x60\x82");
    for (name, bytes) in pictures() {
        let end = match name {
            "JPEG" | "JPEG, with restarts" => &[0xFF, 0xD9][..],
            "PNG" => &iend,
            _ => continue,
        };
        for part in 30..95 {
            let cut = [&bytes[..bytes.len() * part / 100], end].concat();
            assert!(decode(&cut, &limits).is_err(), "{name} of which {part} % are there");
        }
        // A piece in the middle is missing, as when a network loses it.
        let hole = [&bytes[..bytes.len() / 2], &bytes[bytes.len() * 3 / 4..]].concat();
        assert!(decode(&hole, &limits).is_err(), "{name}");
    }
}

#[test]
fn a_header_that_promises_too_much_is_refused_before_memory_is_taken() {
    let limits = DecodeLimits::default().with_max_pixels(63);
    let mut small = Vec::new();
    DynamicImage::new_rgb8(8, 8).write_to(&mut Cursor::new(&mut small), ImageFormat::Png).unwrap();
    assert!(decode(&small, &limits).unwrap_err().to_string().contains("63 pixels"));
    assert!(decode(&small, &DecodeLimits::default().with_max_bytes(10)).is_err());
}

#[test]
fn the_memory_is_known_from_the_header() {
    let limits = DecodeLimits::default();
    let need = |picture: DynamicImage, format| {
        let mut bytes = Cursor::new(Vec::new());
        picture.write_to(&mut bytes, format).unwrap();
        let bytes = bytes.into_inner();
        memory_to_decode(&bytes, &limits).unwrap() - bytes.len() as u64
    };
    assert_eq!(need(DynamicImage::new_rgb8(100, 10), ImageFormat::Png), 3000);
    assert_eq!(need(DynamicImage::new_luma8(100, 10), ImageFormat::Png), 1000 + 3000);
    assert_eq!(need(DynamicImage::new_rgba16(100, 10), ImageFormat::Png), 8000 + 3000);
    assert_eq!(need(DynamicImage::new_rgb8(100, 10), ImageFormat::Jpeg), 3000);
    assert_eq!(need(DynamicImage::new_rgb8(100, 10), ImageFormat::WebP), 3000 + 4000);
}

/// 7,000 x 7,000 pixels of 64 bits are a few hundred kilobytes of PNG, and more than half a gigabyte of memory.
#[test]
fn a_small_file_that_needs_too_much_memory_is_refused_by_its_header() {
    let mut deep = Cursor::new(Vec::new());
    DynamicImage::new_rgba16(64, 64).write_to(&mut deep, ImageFormat::Png).unwrap();
    let deep = deep.into_inner();
    let need = memory_to_decode(&deep, &DecodeLimits::default()).unwrap();
    assert!(decode(&deep, &DecodeLimits::default().with_max_memory(need)).is_ok());
    let refused = decode(&deep, &DecodeLimits::default().with_max_memory(need - 1)).unwrap_err();
    assert!(refused.to_string().contains("memory"), "{refused}");
    // Within the limit of pixels: the header alone decides.
    let header = [&7000_u32.to_be_bytes()[..], &7000_u32.to_be_bytes(), &[16, 6, 0, 0, 0]].concat();
    let mut large = deep.clone();
    large[16..29].copy_from_slice(&header);
    let crc = crc(&large[12..29]);
    large[29..33].copy_from_slice(&crc.to_be_bytes());
    let refused = memory_to_decode(&large, &DecodeLimits::default()).unwrap_err();
    assert!(refused.to_string().contains("memory"), "{refused}");
}

/// The checksum of a chunk of PNG.
fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0_u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 })
    })
}

#[test]
fn what_is_no_picture_is_refused() {
    for bytes in [&b""[..], b"GIF89a\x01\x00\x01\x00", b"<svg/>", &[0xFF; 64], &[0; 64]] {
        assert_eq!(decode(bytes, &DecodeLimits::default()).unwrap_err().kind(), crate::ErrorKind::InvalidImage);
    }
}

#[test]
fn the_orientation_in_the_file_is_applied() {
    // An EXIF block that says: turn a quarter clockwise (orientation 6), put behind the start of the file.
    let exif = b"\xFF\xE1\x00\x22Exif\0\0MM\0\x2A\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
    let plain = jpeg(false);
    let turned = [&plain[..2], exif, &plain[2..]].concat();
    let (plain, turned) =
        (decode(&plain, &DecodeLimits::default()).unwrap(), decode(&turned, &DecodeLimits::default()).unwrap());
    assert_eq!((turned.width(), turned.height()), (plain.height(), plain.width()));
    assert_eq!(turned.rgb(turned.width() - 1, 0), plain.rgb(0, 0));
}

#[test]
fn png_and_webp_keep_their_pixels() {
    let picture = DynamicImage::ImageRgb8(RgbImage::from_fn(9, 7, |x, y| image::Rgb([x as u8 * 20, y as u8 * 30, 5])));
    for format in [ImageFormat::Png, ImageFormat::WebP] {
        let mut bytes = Vec::new();
        picture.write_to(&mut Cursor::new(&mut bytes), format).unwrap();
        let frame = decode(&bytes, &DecodeLimits::default()).unwrap();
        assert_eq!((frame.width(), frame.height(), frame.rgb(3, 2)), (9, 7, Some([60, 60, 5])), "{format:?}");
    }
}
