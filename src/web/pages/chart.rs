//! Small charts as SVG. They are templates like any page, so nothing in them is ever markup.

use askama::Template;

/// Measures in pixels.
const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 150.0;
const LEFT: f64 = 48.0;
const TOP: f64 = 12.0;

/// A bar chart: one bar a name.
#[derive(Template)]
#[template(path = "web/bars.svg", escape = "html")]
pub(super) struct Bars {
    bars: Vec<Bar>,
    most: u64,
}

struct Bar {
    x: f64,
    y: f64,
    width: f64,
    height: f64,
    name: String,
    value: u64,
    /// Whether there is room for its name below it.
    named: bool,
}

impl Bars {
    /// Whether there is nothing to show.
    pub fn is_empty(&self) -> bool {
        self.bars.is_empty()
    }
}

/// The chart of these values.
pub(super) fn bars(values: &[(String, u64)]) -> Bars {
    let most = values.iter().map(|(_, value)| *value).max().unwrap_or(0).max(1);
    let step = (WIDTH - LEFT) / values.len().max(1) as f64;
    let every = values.len().div_ceil(6).max(1);
    let bar = |(number, (name, value)): (usize, &(String, u64))| {
        let height = HEIGHT * *value as f64 / most as f64;
        let width = (step * 0.7).min(48.0);
        Bar {
            x: LEFT + step * (number as f64 + 0.5) - width / 2.0,
            y: TOP + HEIGHT - height,
            width,
            height,
            name: name.clone(),
            value: *value,
            named: number % every == 0,
        }
    };
    Bars { bars: values.iter().enumerate().map(bar).collect(), most }
}

/// A line chart of shares: one line a name, over common steps.
#[derive(Template)]
#[template(path = "web/lines.svg", escape = "html")]
pub(super) struct Lines {
    lines: Vec<Line>,
    steps: Vec<(f64, String)>,
}

struct Line {
    name: String,
    colour: usize,
    points: String,
    dots: Vec<(f64, f64, String)>,
    name_y: f64,
}

impl Lines {
    /// Whether there is nothing to show.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }
}

/// The chart of these shares from 0 to 1, each a name, a step and a value.
pub(super) fn lines(values: &[(String, String, f64)]) -> Lines {
    let mut steps: Vec<&String> = values.iter().map(|(_, step, _)| step).collect();
    steps.sort_unstable();
    steps.dedup();
    let mut names: Vec<&String> = values.iter().map(|(name, _, _)| name).collect();
    names.sort_unstable();
    names.dedup();
    let room = WIDTH - LEFT - 120.0;
    let x = |step: &String| {
        let at = steps.iter().position(|one| *one == step).unwrap_or(0);
        LEFT + room * (at as f64 + 0.5) / steps.len().max(1) as f64
    };
    let line = |(number, name): (usize, &&String)| {
        let own = values.iter().filter(|(of, _, _)| of == *name);
        let dots: Vec<(f64, f64, String)> = own
            .map(|(_, step, share)| {
                let title = format!("{name}, week of {step}: {:.0} %", share * 100.0);
                (x(step), TOP + HEIGHT * (1.0 - share), title)
            })
            .collect();
        let points: Vec<String> = dots.iter().map(|(x, y, _)| format!("{x:.1},{y:.1}")).collect();
        Line {
            name: (*name).clone(),
            colour: number % 5,
            points: points.join(" "),
            name_y: TOP + 12.0 + 18.0 * number as f64,
            dots,
        }
    };
    Lines {
        lines: names.iter().enumerate().map(line).collect(),
        steps: steps.iter().map(|step| (x(step), (*step).clone())).collect(),
    }
}
