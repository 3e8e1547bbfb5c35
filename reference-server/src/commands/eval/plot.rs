//! Plots as inline SVG: no script, no font and no color but those of the page around them.

use std::fmt::Write as _;

/// How values lie along an axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::commands) enum Scale {
    Linear,
    /// By powers of ten; what is not above the low end lies on it.
    Log,
}

/// One side of a plot.
#[derive(Debug, Clone)]
pub(in crate::commands) struct Axis {
    pub(in crate::commands) label: &'static str,
    pub(in crate::commands) scale: Scale,
    pub(in crate::commands) from: f64,
    pub(in crate::commands) to: f64,
}

/// How a series is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::commands) enum Style {
    Line,
    Dots,
    /// A line with the area below it filled.
    Area,
}

/// Points of one kind.
#[derive(Debug, Clone)]
pub(in crate::commands) struct Series {
    pub(in crate::commands) name: String,
    pub(in crate::commands) style: Style,
    pub(in crate::commands) points: Vec<(f64, f64)>,
}

/// A plot.
#[derive(Debug, Clone)]
pub(in crate::commands) struct Plot {
    pub(in crate::commands) title: &'static str,
    pub(in crate::commands) x: Axis,
    pub(in crate::commands) y: Axis,
    pub(in crate::commands) series: Vec<Series>,
    /// Vertical lines: where, and what they are.
    pub(in crate::commands) marks: Vec<(f64, String)>,
}

const WIDTH: f64 = 560.0;
const HEIGHT: f64 = 340.0;
const LEFT: f64 = 62.0;
const RIGHT: f64 = 14.0;
const TOP: f64 = 26.0;
const BOTTOM: f64 = 46.0;
/// The classes of color that the page defines.
const COLORS: usize = 6;

impl Axis {
    pub(in crate::commands) fn linear(label: &'static str, from: f64, to: f64) -> Self {
        Self { label, scale: Scale::Linear, from, to: if to > from { to } else { from + 1.0 } }
    }

    /// From a power of ten at or below `smallest` to 1.
    pub(in crate::commands) fn rates(label: &'static str, smallest: f64) -> Self {
        let from = 10f64.powf(smallest.clamp(1e-9, 0.1).log10().floor());
        Self { label, scale: Scale::Log, from, to: 1.0 }
    }

    /// Where `value` lies, in [0, 1] along the axis.
    fn place(&self, value: f64) -> f64 {
        let share = match self.scale {
            Scale::Linear => (value - self.from) / (self.to - self.from),
            Scale::Log => (value.max(self.from).ln() - self.from.ln()) / (self.to.ln() - self.from.ln()),
        };
        if share.is_nan() { 0.0 } else { share.clamp(0.0, 1.0) }
    }

    /// The values to write along the axis.
    fn ticks(&self) -> Vec<f64> {
        match self.scale {
            Scale::Log => {
                #[expect(clippy::cast_possible_truncation, reason = "a few decades")]
                let (low, high) = (self.from.log10().round() as i32, self.to.log10().round() as i32);
                (low..=high).map(|power| 10f64.powi(power)).collect()
            }
            Scale::Linear => {
                let rough = (self.to - self.from) / 6.0;
                let power = 10f64.powf(rough.log10().floor());
                let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|s| s * power).find(|s| *s >= rough).unwrap_or(rough);
                let first = (self.from / step).ceil();
                std::iter::successors(Some(first), |n| Some(n + 1.0))
                    .map(|n| n * step)
                    .take_while(|tick| *tick <= self.to + step * 1e-6)
                    .take(20)
                    .collect()
            }
        }
    }

    fn written(&self, tick: f64) -> String {
        match self.scale {
            Scale::Log if tick < 0.01 => format!("{tick:.0e}"),
            Scale::Log => format!("{tick}"),
            // Adding 0 takes the sign off -0.
            Scale::Linear => format!("{}", (tick * 1e6).round() / 1e6 + 0.0),
        }
    }
}

impl Plot {
    /// The plot as an `<svg>`.
    pub(in crate::commands) fn svg(&self) -> String {
        let (width, height) = (WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM);
        let x = |value: f64| LEFT + width * self.x.place(value);
        let y = |value: f64| TOP + height * (1.0 - self.y.place(value));
        let mut svg = format!(
            "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}\">",
            super::report::escaped(self.title)
        );
        for tick in self.x.ticks() {
            let (at, foot) = (x(tick), TOP + height);
            let _ = write!(
                svg,
                "<line class=\"grid\" x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"{TOP}\" y2=\"{foot}\"/><text x=\"{at:.1}\" \
                 y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
                foot + 16.0,
                self.x.written(tick)
            );
        }
        for tick in self.y.ticks() {
            let at = y(tick);
            let _ = write!(
                svg,
                "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{}\" y1=\"{at:.1}\" y2=\"{at:.1}\"/><text x=\"{}\" \
                 y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                LEFT + width,
                LEFT - 6.0,
                at + 4.0,
                self.y.written(tick)
            );
        }
        let _ = write!(
            svg,
            "<text class=\"label\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text><text class=\"label\" \
             transform=\"translate(14 {:.1}) rotate(-90)\" text-anchor=\"middle\">{}</text>",
            LEFT + width / 2.0,
            HEIGHT - 8.0,
            super::report::escaped(self.x.label),
            TOP + height / 2.0,
            super::report::escaped(self.y.label),
        );
        for (color, series) in self.series.iter().enumerate() {
            let color = color % COLORS;
            let points = series.points.iter().filter(|(a, b)| a.is_finite() && b.is_finite());
            let placed: Vec<(f64, f64)> = points.map(|(a, b)| (x(*a), y(*b))).collect();
            let path: String = placed
                .iter()
                .enumerate()
                .map(|(i, (a, b))| format!("{}{a:.1} {b:.1}", if i == 0 { "M" } else { "L" }))
                .collect();
            let _ = match (series.style, placed.first(), placed.last()) {
                (Style::Dots, ..) => placed.iter().try_for_each(|(a, b)| {
                    write!(svg, "<circle class=\"dot c{color}\" cx=\"{a:.1}\" cy=\"{b:.1}\" r=\"2.4\"/>")
                }),
                (Style::Area, Some((first, _)), Some((last, _))) => {
                    let foot = TOP + height;
                    write!(
                        svg,
                        "<path class=\"area c{color}\" d=\"{path}L{last:.1} {foot}L{first:.1} {foot}Z\"/>\
                         <path class=\"line c{color}\" d=\"{path}\"/>"
                    )
                }
                (Style::Line, Some(_), _) => write!(svg, "<path class=\"line c{color}\" d=\"{path}\"/>"),
                _ => Ok(()),
            };
        }
        for (i, (at, text)) in self.marks.iter().enumerate() {
            let at = x(*at);
            let (anchor, beside) = if at > LEFT + width * 0.7 { ("end", at - 5.0) } else { ("start", at + 5.0) };
            #[expect(clippy::cast_precision_loss, reason = "a few marks")]
            let down = TOP + 12.0 + 14.0 * (i as f64);
            let _ = write!(
                svg,
                "<line class=\"mark\" x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"{TOP}\" y2=\"{}\"/><text x=\"{beside:.1}\" \
                 y=\"{down:.1}\" text-anchor=\"{anchor}\">{}</text>",
                TOP + height,
                super::report::escaped(text)
            );
        }
        svg.push_str("</svg>");
        svg
    }
}

/// The shares of `values` in `bins` equal parts of the range, as the corners of their steps; empty of no values.
pub(in crate::commands) fn histogram(values: &[f32], from: f64, to: f64, bins: usize) -> Vec<(f64, f64)> {
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bins")]
    let bin = |value: f32| {
        let share = (f64::from(value) - from) / (to - from);
        ((share * bins as f64) as usize).min(bins - 1)
    };
    let mut counts = vec![0.0; bins];
    for value in values.iter().filter(|v| v.is_finite()) {
        counts[bin(*value)] += 1.0;
    }
    let total: f64 = counts.iter().sum();
    if total == 0.0 {
        return Vec::new();
    }
    #[expect(clippy::cast_precision_loss, reason = "bins")]
    let edge = |i: usize| from + (to - from) * i as f64 / bins as f64;
    counts.iter().enumerate().flat_map(|(i, n)| [(edge(i), n / total), (edge(i + 1), n / total)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decades_and_round_steps_are_written_along_the_axes() {
        assert_eq!(Axis::rates("x", 2e-4).ticks(), [1e-4, 1e-3, 1e-2, 1e-1, 1.0]);
        let axis = Axis::linear("x", -60.0, 60.0);
        assert_eq!(
            axis.ticks().iter().map(|t| axis.written(*t)).collect::<Vec<_>>(),
            ["-60", "-40", "-20", "0", "20", "40", "60"]
        );
    }

    #[test]
    fn a_rate_of_nothing_lies_on_the_low_end_of_a_logarithmic_axis() {
        let axis = Axis::rates("x", 1e-3);
        assert_eq!((axis.place(0.0), axis.place(1.0), axis.place(f64::NAN)), (0.0, 1.0, 0.0));
    }

    #[test]
    fn a_histogram_shares_out_everything() {
        let steps = histogram(&[0.0, 0.1, 0.9, 1.0], 0.0, 1.0, 4);
        assert_eq!(steps.iter().step_by(2).map(|(_, share)| share).sum::<f64>(), 1.0);
        assert_eq!(steps.last(), Some(&(1.0, 0.5)));
        assert!(histogram(&[], 0.0, 1.0, 4).is_empty());
    }

    #[test]
    fn text_cannot_leave_its_element() {
        let mark = (0.5, "<script>".to_owned());
        let plot = Plot {
            title: "t",
            x: Axis::linear("x", 0.0, 1.0),
            y: Axis::linear("y", 0.0, 1.0),
            series: vec![],
            marks: vec![mark],
        };
        assert!(!plot.svg().contains("<script"));
    }
}
