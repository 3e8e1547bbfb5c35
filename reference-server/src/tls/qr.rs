//! An address as a picture that a telephone's camera reads (ISO/IEC 18004).

use qrcode::render::{svg, unicode};
use qrcode::{EcLevel, QrCode};

/// Returns the picture in half blocks, for a console with light letters on dark ground. `None` where `text` is too long
/// for one.
pub(crate) fn for_console(text: &str) -> Option<String> {
    let code = code(text)?;
    // Most consoles are dark: the paper is drawn, and what is dark on it is left out.
    let drawn = code
        .render::<unicode::Dense1x2>()
        .dark_color(unicode::Dense1x2::Light)
        .light_color(unicode::Dense1x2::Dark)
        .quiet_zone(true)
        .build();
    Some(drawn)
}

/// Returns the picture as SVG, black on white. `None` where `text` is too long for one.
pub(crate) fn as_svg(text: &str) -> Option<String> {
    let code = code(text)?;
    let drawn = code
        .render::<svg::Color<'_>>()
        .dark_color(svg::Color("#000"))
        .light_color(svg::Color("#fff"))
        .min_dimensions(SIDE, SIDE)
        .build();
    Some(drawn)
}

/// The side of the SVG in pixels.
const SIDE: u32 = 240;

fn code(text: &str) -> Option<QrCode> {
    // A screen has no dirt on it: the least correction makes the largest modules.
    QrCode::with_error_correction_level(text, EcLevel::L).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_becomes_a_picture_of_lines_of_one_width() {
        let drawn = for_console("https://192.168.100.200:8001/ui/").unwrap();
        let widths: Vec<usize> = drawn.lines().map(|line| line.chars().count()).collect();
        assert!(widths.iter().all(|width| *width == widths[0]), "{widths:?}");
        // Version 3 (29 modules) with its quiet zone of four, two rows a line: it fits any console.
        assert_eq!((widths[0], widths.len()), (37, 19), "\n{drawn}");
        assert!(as_svg("https://192.168.100.200:8001/ui/").unwrap().contains("<svg"));
        assert_eq!(for_console(&"a".repeat(3000)), None, "too long for any");
    }
}
