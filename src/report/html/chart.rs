//! Charts as SVG. Colours come from the style sheet by class, so that charts follow light and dark mode; charts contain no
//! text from outside.

use std::fmt::Write as _;

use super::super::strip::Strip;
use super::axis::Axis;

/// Number of colours for participants. The ninth to the sixteenth have them in stripes; then all repeat.
const HUES: usize = 8;

/// Height of a lane in a small strip, and of the gap below it.
const SMALL_LANE: (usize, usize) = (6, 2);

/// Width of a small strip in columns.
const SMALL_WIDTH: usize = 320;

/// Most lanes in a small strip.
const SMALL_LANES: usize = 6;

/// The CSS class with a participant's colour.
#[must_use]
pub(super) fn hue(participant: usize) -> String {
    let stripes = if participant / HUES % 2 == 1 { " striped" } else { "" };
    format!("p{}{stripes}", participant % HUES)
}

/// A bar of a participant: two stripes where the colours repeat. `top`, `height` and the numbers of `x` are of the drawing.
fn bar(
    participant: usize,
    x: impl std::fmt::Display,
    top: usize,
    width: impl std::fmt::Display,
    height: usize,
) -> String {
    if (participant / HUES).is_multiple_of(2) {
        return format!("M{x} {top}h{width}v{height}h-{width}z");
    }
    let stripe = height / 3;
    format!("M{x} {top}h{width}v{stripe}h-{width}zm0 {}h{width}v{stripe}h-{width}z", height - stripe)
}

/// Who spoke when, as a strip for a table row: one lane per participant, dead air behind them.
///
/// Times are drawn in 320 columns; shorter intervals take a full column.
pub(super) fn small_lanes(lanes: &[Vec<(i64, i64)>], dead_air: &[(i64, i64)], length_ms: i64) -> String {
    let (lane_height, space) = SMALL_LANE;
    let shown = lanes.len().clamp(1, SMALL_LANES);
    let height = shown * (lane_height + space) - space;
    let mut svg = format!(
        "<svg class=\"small\" viewBox=\"0 0 {SMALL_WIDTH} {height}\" preserveAspectRatio=\"none\" aria-hidden=\"true\">"
    );
    for run in columns(dead_air, length_ms) {
        let _ = write!(svg, "<path class=\"air\" d=\"M{} 0h{}v{height}h-{}z\"/>", run.0, run.1, run.1);
    }
    for (participant, lane) in lanes.iter().take(SMALL_LANES).enumerate() {
        let top = participant * (lane_height + space);
        let mut path = String::new();
        for (start, width) in columns(lane, length_ms) {
            path += &bar(participant, start, top, width, lane_height);
        }
        if !path.is_empty() {
            let _ = write!(svg, "<path class=\"{}\" d=\"{path}\"/>", hue(participant));
        }
    }
    svg + "</svg>"
}

/// Converts ascending intervals to runs of columns, `(start, width)`.
fn columns(intervals: &[(i64, i64)], length_ms: i64) -> Vec<(usize, usize)> {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    if length_ms <= 0 {
        return runs;
    }
    let width = SMALL_WIDTH as i128;
    for &(begin, end) in intervals {
        let column = |ms: i64| (i128::from(ms.max(0)) * width / i128::from(length_ms)).clamp(0, width - 1) as usize;
        let (first, last) = (column(begin), column(end.max(begin + 1) - 1));
        match runs.last_mut() {
            Some((start, count)) if first <= *start + *count => *count = (*count).max(last + 1 - *start),
            _ => runs.push((first, last + 1 - first)),
        }
    }
    runs
}

/// Smallest share of talk that is visible in a bar, in per cent.
const LEAST_SHARE: f64 = 0.5;

/// Shares of talk as one bar, with one segment per participant.
pub(super) fn shares(shares: &[Option<f64>]) -> String {
    let mut svg =
        "<svg class=\"share\" viewBox=\"0 0 100 6\" preserveAspectRatio=\"none\" aria-hidden=\"true\">".to_owned();
    let mut from = 0.0;
    for (participant, share) in shares.iter().enumerate() {
        let width = share.unwrap_or(0.0) * 100.0;
        if width >= LEAST_SHARE {
            let bar = bar(participant, format!("{from:.2}"), 0, format!("{width:.2}"), 6);
            let _ = write!(svg, "<path class=\"{}\" d=\"{bar}\"/>", hue(participant));
        }
        from += width;
    }
    svg + "</svg>"
}

/// One segment of the large lanes. One unit of width is 1 ms; a lane is 14 high, with gaps of 4.
pub(super) struct Segment<'a> {
    pub(super) begin_ms: i64,
    pub(super) end_ms: i64,
    pub(super) lanes: &'a [Vec<(i64, i64)>],
    pub(super) dead_air: &'a [(i64, i64)],
}

impl Segment<'_> {
    pub(super) fn svg(&self) -> String {
        let height = self.lanes.len().max(1) * 18 - 4;
        let width = self.end_ms - self.begin_ms;
        let mut svg =
            format!("<svg viewBox=\"0 0 {width} {height}\" preserveAspectRatio=\"none\" aria-hidden=\"true\">");
        for (start, width) in self.cut(self.dead_air) {
            let _ = write!(svg, "<path class=\"air\" d=\"M{start} 0h{width}v{height}h-{width}z\"/>");
        }
        for (participant, lane) in self.lanes.iter().enumerate() {
            let mut path = String::new();
            for (start, width) in self.cut(lane) {
                path += &bar(participant, start, participant * 18, width, 14);
            }
            if !path.is_empty() {
                let _ = write!(svg, "<path class=\"{}\" d=\"{path}\"/>", hue(participant));
            }
        }
        svg + "</svg>"
    }

    /// The parts of intervals inside the segment, as `(start, width)` from its beginning.
    fn cut(&self, intervals: &[(i64, i64)]) -> impl Iterator<Item = (i64, i64)> {
        // The intervals are ascending and disjoint, so those that end before the segment can be skipped.
        let from = intervals.partition_point(|interval| interval.1 <= self.begin_ms);
        let inside = intervals.get(from..).unwrap_or_default().iter().take_while(|interval| interval.0 < self.end_ms);
        inside.map(|&(begin, end)| {
            let start = begin.max(self.begin_ms);
            (start - self.begin_ms, end.min(self.end_ms) - start)
        })
    }
}

/// Width and height of a strip.
const STRIP: (f64, f64) = (300.0, 64.0);
/// Radius of a dot.
const RADIUS: f64 = 3.2;

/// The distribution of a figure: the band is the middle half of the values, the line the median.
///
/// `link` gives a dot's link target and its text, both escaped.
pub(super) fn strip(strip: &Strip, axis: &Axis, link: &dyn Fn(usize) -> (Option<String>, String)) -> String {
    let (width, height) = STRIP;
    let mut svg = format!("<svg class=\"strip\" viewBox=\"0 0 {width} {height}\" aria-hidden=\"true\">");
    let [low, lower, median, upper, high] = strip.quartiles[..] else { return svg + "</svg>" };
    let x = |value: f64| RADIUS + axis.share(value) * (width - 2.0 * RADIUS);
    let _ = write!(
        svg,
        "<rect class=\"band\" x=\"{:.1}\" y=\"2\" width=\"{:.1}\" height=\"{:.1}\"/>",
        x(lower),
        (x(upper) - x(lower)).max(1.0),
        height - 4.0
    );
    if let Some(most) = strip.density.iter().max().filter(|most| **most > 0) {
        let step = (x(high) - x(low)) / strip.density.len() as f64;
        let mut path = String::new();
        for (at, count) in strip.density.iter().enumerate().filter(|(_, count)| **count > 0) {
            let bar = (f64::from(*count) / f64::from(*most) * (height - 8.0)).max(1.0);
            let (left, top) = (x(low) + at as f64 * step, height - 2.0 - bar);
            let width = (step * 0.9).max(0.6);
            let _ = write!(path, "M{left:.1} {top:.1}h{width:.1}v{bar:.1}h-{width:.1}z");
        }
        let _ = write!(svg, "<path class=\"dots\" d=\"{path}\"/>");
    }
    let places = swarm(&strip.dots.iter().map(|dot| x(dot.value)).collect::<Vec<_>>(), height);
    for (at, (left, top)) in places.into_iter().enumerate() {
        let (address, text) = link(at);
        let circle = format!(
            "<circle class=\"dots\" cx=\"{left:.1}\" cy=\"{top:.1}\" r=\"{RADIUS}\"><title>{text}</title></circle>"
        );
        match address {
            Some(address) => {
                let _ = write!(svg, "<a href=\"#{address}\" tabindex=\"-1\">{circle}</a>");
            }
            None => svg += &circle,
        }
    }
    let _ = write!(svg, "<path class=\"median\" d=\"M{:.1} 0v{height}\"/>", x(median));
    svg + "</svg>"
}

/// Positions for dots at ascending `x`, stacked without overlap where there is room.
fn swarm(x: &[f64], height: f64) -> Vec<(f64, f64)> {
    let mut columns: Vec<Vec<usize>> = Vec::new();
    let mut begun = f64::NEG_INFINITY;
    for (at, &left) in x.iter().enumerate() {
        if left - begun >= RADIUS * 2.0 {
            columns.push(Vec::new());
            begun = left;
        }
        if let Some(column) = columns.last_mut() {
            column.push(at);
        }
    }
    let mut places = vec![(0.0, 0.0); x.len()];
    for column in columns {
        let room = height - 2.0 * RADIUS - 4.0;
        let step = (RADIUS * 2.0).min(room / (column.len().saturating_sub(1)).max(1) as f64);
        let first = height / 2.0 - step * (column.len() - 1) as f64 / 2.0;
        for (number, at) in column.into_iter().enumerate() {
            if let (Some(place), Some(&left)) = (places.get_mut(at), x.get(at)) {
                *place = (left, first + step * number as f64);
            }
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_strip_for_a_row_draws_lanes_and_dead_air() {
        // 3.2 s in 320 columns: a column is 10 ms.
        let lanes = vec![vec![(0, 100), (105, 200)], vec![(1000, 1001)]];
        let svg = small_lanes(&lanes, &[(2000, 3200)], 3200);
        assert!(svg.contains("<path class=\"air\" d=\"M200 0h120v14h-120z\"/>"), "{svg}");
        assert!(svg.contains("<path class=\"p0\" d=\"M0 0h20v6h-20z\"/>"), "{svg}");
        assert!(svg.contains("<path class=\"p1\" d=\"M100 8h1v6h-1z\"/>"), "{svg}");
    }

    #[test]
    fn a_bar_is_as_long_as_the_shares() {
        let svg = shares(&[Some(0.25), None, Some(0.75)]);
        assert!(
            svg.contains("class=\"p0\" d=\"M0.00 0h25.00v6") && svg.contains("class=\"p2\" d=\"M25.00 0h75.00v6"),
            "{svg}"
        );
    }

    proptest! {
        #[test]
        fn minutes_cut_no_time_off(mut times in proptest::collection::vec(0_i64..600_000, 0..40)) {
            times.sort_unstable();
            let lane: Vec<(i64, i64)> =
                times.chunks_exact(2).filter(|pair| pair[0] < pair[1]).map(|pair| (pair[0], pair[1])).collect();
            let lanes = [lane.clone()];
            let cut: i64 = (0..10)
                .flat_map(|minute| {
                    let begin_ms = minute * 60_000;
                    let segment = Segment { begin_ms, end_ms: begin_ms + 60_000, lanes: &lanes, dead_air: &[] };
                    segment.cut(&lane).map(|(_, width)| width).collect::<Vec<_>>()
                })
                .sum();
            prop_assert_eq!(cut, lane.iter().map(|(begin, end)| end - begin).sum::<i64>());
        }

        #[test]
        fn every_dot_stays_in_its_strip(mut x in proptest::collection::vec(3.2_f64..296.8, 0..300)) {
            x.sort_by(f64::total_cmp);
            for ((left, top), want) in swarm(&x, 64.0).into_iter().zip(&x) {
                prop_assert_eq!(left, *want);
                prop_assert!((RADIUS..=64.0 - RADIUS).contains(&top), "{}", top);
            }
        }
    }
}
