//! How a training went, as curves over its steps.

use askama::Template;

/// Curves over the same steps with one scale.
#[derive(Debug, Clone, PartialEq)]
pub struct Panel {
    /// What is measured.
    pub title: &'static str,
    /// The scale's ends: what is below or above is drawn there.
    pub scale: (f64, f64),
    /// By name, the value at each step; at most three.
    pub curves: Vec<(&'static str, Vec<(f64, f64)>)>,
}

/// Measures in pixels.
const WIDTH: usize = 960;
const PANEL: usize = 390;
const TOP: usize = 84;
const BOTTOM: usize = 300;
const HEIGHT: usize = 400;
const MARGIN: usize = 64;

/// Lines across a panel.
const TICKS: usize = 4;

#[derive(Template)]
#[template(path = "curves.svg", escape = "html")]
struct Curves<'a> {
    title: &'a str,
    width: usize,
    height: usize,
    bottom: usize,
    panels: Vec<Drawn>,
}

struct Drawn {
    title: &'static str,
    left: usize,
    right: usize,
    ticks: Vec<(f64, String)>,
    steps: Vec<(f64, String)>,
    lines: Vec<Line>,
}

struct Line {
    name: &'static str,
    points: String,
}

/// Draws two panels side by side as SVG.
///
/// # Errors
/// Never in practice: a template into a string.
pub fn curves(title: &str, panels: &[Panel; 2]) -> Result<String, askama::Error> {
    let panels = panels.iter().enumerate().map(|(place, panel)| draw(panel, place)).collect();
    Curves { title, width: WIDTH, height: HEIGHT, bottom: BOTTOM, panels }.render()
}

fn draw(panel: &Panel, place: usize) -> Drawn {
    let left = MARGIN + place * (PANEL + MARGIN);
    let (low, high) = panel.scale;
    let last = panel.curves.iter().flat_map(|(_, points)| points).map(|(step, _)| *step);
    let last = last.fold(1.0, f64::max);
    let x = |step: f64| left as f64 + PANEL as f64 * step / last;
    let y = |value: f64| {
        let share = (value.clamp(low, high) - low) / (high - low);
        BOTTOM as f64 - (BOTTOM - TOP) as f64 * share
    };
    let tick = |number: usize| {
        let value = low + (high - low) * number as f64 / TICKS as f64;
        (y(value), format!("{value:.2}"))
    };
    let line = |(name, points): &(&'static str, Vec<(f64, f64)>)| {
        let points: Vec<String> = points
            .iter()
            .map(|(step, value)| format!("{:.1},{:.1}", x(*step), y(*value)))
            .collect();
        Line { name, points: points.join(" ") }
    };
    Drawn {
        title: panel.title,
        left,
        right: left + PANEL,
        ticks: (0..=TICKS).map(tick).collect(),
        steps: [0.0, last / 2.0, last].map(|step| (x(step), format!("{step:.0}"))).into(),
        lines: panel.curves.iter().map(line).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_lie_on_their_scale() {
        let panel = |title, scale| Panel {
            title,
            scale,
            curves: vec![("a < b", vec![(0.0, 0.0), (100.0, 1.0), (200.0, 9.0)])],
        };
        let svg =
            curves("Training", &[panel("loss", (0.0, 2.0)), panel("F1", (0.5, 1.0))]).unwrap();
        assert!(svg.contains("64.0,300.0 259.0,192.0 454.0,84.0"), "{svg}");
        assert!(svg.contains("a &#60; b") && svg.contains(">1.50<"), "{svg}");
    }
}
