//! Images of Pillow: eight bits as they are, deeper gray scaled to eight bits.

use faceattend_core::frame::{ChannelOrder, Frame};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::error::{exception, invalid_input};

/// Returns whether `value` is an image of Pillow, of a subclass too. Pillow is not loaded for it.
pub(crate) fn is_image(value: &Bound<'_, PyAny>) -> PyResult<bool> {
    let loaded = value.py().import("sys")?.getattr("modules")?.call_method1("get", ("PIL.Image",))?;
    // Half of a module is there while another thread loads it.
    if loaded.is_none() || !loaded.hasattr("Image")? {
        return Ok(false);
    }
    value.is_instance(&loaded.getattr("Image")?)
}

/// Returns the pixels of an image of Pillow, upright.
pub(crate) fn frame_of(image: &Bound<'_, PyAny>) -> PyResult<Frame<'static>> {
    let py = image.py();
    // Pillow keeps a photograph as the telephone held it, and its orientation beside it.
    let upright = py.import("PIL.ImageOps")?.call_method1("exif_transpose", (image,))?;
    let (width, height): (u32, u32) = upright.getattr("size")?.extract()?;
    let mode: String = upright.getattr("mode")?.extract()?;
    let bytes_in = |mode: &str| -> PyResult<Vec<u8>> {
        let converted = upright.call_method1("convert", (mode,))?;
        Ok(converted.call_method0("tobytes")?.cast_into::<PyBytes>()?.as_bytes().to_vec())
    };
    let pixels = match mode.as_str() {
        // Pillow's own conversion would cut these off at 255.
        "F" => {
            let values: Vec<f32> = words(&bytes_in("F")?).map(f32::from_ne_bytes).collect();
            gray(&values, &[(1.0, 255.0), (255.0, 1.0), (65_535.0, 1.0 / 257.0)])
        }
        _ if mode == "I" || mode.starts_with("I;16") => {
            let values: Vec<f32> = words(&bytes_in("I")?).map(i32::from_ne_bytes).map(|value| value as f32).collect();
            let ranges = [(255.0, 1.0), (65_535.0, 1.0 / 257.0)];
            // Pillow says `I` of any depth, and `I;16` of 16 bits alone.
            gray(&values, if mode == "I" { &ranges } else { &ranges[1..] })
        }
        _ => bytes_in("RGB")
            .map_err(|error| {
                invalid_input(py, "frame", format!("a PIL image of mode {mode} cannot be converted to RGB: {error}"))
            })
            .map(Some)?,
    };
    let pixels = pixels.ok_or_else(|| {
        let range = if mode == "F" { "0 to 1, 0 to 255 or 0 to 65535" } else { "0 to 255 or 0 to 65535" };
        let reason = format!("a PIL image of mode {mode} must hold values from {range}: scale it and convert it to L");
        invalid_input(py, "frame", reason)
    })?;
    Frame::new(pixels, width, height, ChannelOrder::Rgb).map_err(|error| exception(py, &error))
}

fn words(bytes: &[u8]) -> impl Iterator<Item = [u8; 4]> + '_ {
    bytes.chunks_exact(4).map(|word| [word[0], word[1], word[2], word[3]])
}

/// Returns three bytes for each value, by the factor of the first range that holds all of them; `None` where none does.
/// A range begins at 0 and is given by its end.
fn gray(values: &[f32], ranges: &[(f32, f32)]) -> Option<Vec<u8>> {
    let (_, factor) = ranges.iter().find(|(end, _)| values.iter().all(|value| (0.0..=*end).contains(value)))?;
    // Within 0 and 255 by the range.
    Some(values.iter().flat_map(|value| [(value * factor).round() as u8; 3]).collect())
}
