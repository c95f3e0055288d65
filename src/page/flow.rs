//! How a cohort was chosen, as the flow chart that papers show: what each step left and what it
//! excluded.

use askama::Template;

/// What is left after a step of a choice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlowStep {
    /// What the step keeps.
    pub name: String,
    /// Reports that are left.
    pub reports: u64,
    /// Studies that they are of.
    pub studies: u64,
    /// Patients that they are of, as far as they are known.
    pub patients: u64,
}

/// Measures in pixels.
const WIDTH: u32 = 840;
const MARGIN: u32 = 24;
const TITLE: u32 = 34;
const BOX: u32 = 500;
const EXCLUDED: u32 = 228;
const PADDING: u32 = 14;
const LINE: u32 = 19;
const GAP: u32 = 64;

/// How many letters of the font fit into a line of a box.
const LETTERS: usize = 62;

#[derive(Template)]
#[template(path = "flow.svg", escape = "html")]
struct Flow<'a> {
    title: &'a str,
    width: u32,
    height: u32,
    left: u32,
    box_width: u32,
    excluded_left: u32,
    excluded_width: u32,
    boxes: Vec<FlowBox>,
}

/// A step as it is drawn.
struct FlowBox {
    top: u32,
    height: u32,
    lines: Vec<TextLine>,
    counts: TextLine,
    /// What the next step excludes, and the arrow down to it.
    next: Option<Next>,
}

struct TextLine {
    y: u32,
    text: String,
}

struct Next {
    from: u32,
    to: u32,
    middle: u32,
    /// The box at the side.
    top: u32,
    height: u32,
    excluded: String,
    y: u32,
}

/// The flow chart as SVG that stands alone: no script, nothing from elsewhere, dark where its
/// reader is.
///
/// # Errors
/// None in practice: those of the template.
pub fn flow_chart(title: &str, steps: &[FlowStep]) -> Result<String, askama::Error> {
    let mut top = MARGIN + TITLE;
    let mut boxes = Vec::with_capacity(steps.len());
    for (number, step) in steps.iter().enumerate() {
        let wrapped = textwrap::wrap(&step.name, LETTERS);
        let first = top + PADDING + LINE - 5;
        let line = |(row, text): (usize, &std::borrow::Cow<'_, str>)| TextLine {
            y: first + row as u32 * LINE,
            text: text.to_string(),
        };
        let lines: Vec<TextLine> = wrapped.iter().enumerate().map(line).collect();
        let height = 2 * PADDING + (lines.len() as u32 + 1) * LINE;
        let counts = TextLine { y: first + lines.len() as u32 * LINE, text: counts(step) };
        let next = steps.get(number + 1).map(|next| arrow(step, next, top + height));
        boxes.push(FlowBox { top, height, lines, counts, next });
        top += height + GAP;
    }
    Flow {
        title,
        width: WIDTH,
        height: top.saturating_sub(GAP) + MARGIN,
        left: MARGIN,
        box_width: BOX,
        excluded_left: WIDTH - MARGIN - EXCLUDED,
        excluded_width: EXCLUDED,
        boxes,
    }
    .render()
}

fn arrow(step: &FlowStep, next: &FlowStep, from: u32) -> Next {
    let height = 2 * 9 + LINE;
    let middle = from + GAP / 2;
    Next {
        from,
        to: from + GAP,
        middle,
        top: middle - height / 2,
        height,
        excluded: format!("excluded: {}", reports(step.reports.saturating_sub(next.reports))),
        y: middle + 5,
    }
}

/// What is left; no word of patients where the reports name none.
fn counts(step: &FlowStep) -> String {
    let mut counts = vec![reports(step.reports), counted(step.studies, "study", "studies")];
    if step.patients > 0 || step.reports == 0 {
        counts.push(counted(step.patients, "patient", "patients"));
    }
    counts.join(" · ")
}

fn reports(count: u64) -> String {
    counted(count, "report", "reports")
}

/// `12,345 reports`
fn counted(count: u64, one: &str, several: &str) -> String {
    let digits = count.to_string();
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    format!("{grouped} {}", if count == 1 { one } else { several })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(name: &str, reports: u64) -> FlowStep {
        FlowStep { name: name.to_owned(), reports, studies: reports, patients: 1 }
    }

    #[test]
    fn every_step_says_what_it_leaves_and_what_it_excludes() {
        let steps =
            [step("all", 1_234_567), step("L4-L5.central>=moderate", 1234), step("last", 1)];
        let chart = flow_chart("Cohort", &steps).unwrap();
        for told in [
            "1,234,567 reports · 1,234,567 studies · 1 patient",
            "excluded: 1,233,333 reports",
            "L4-L5.central&#62;=moderate",
            "excluded: 1,233 reports",
            "1 report · 1 study · 1 patient",
        ] {
            assert!(chart.contains(told), "{told} in {chart}");
        }
        assert_eq!(chart.matches("marker-end").count(), 4, "an arrow down and one aside a step");
    }

    #[test]
    fn names_are_text_and_long_ones_are_wrapped() {
        let name = format!("<script>alert(1)</script> {}", "words ".repeat(40));
        let chart = flow_chart("<b>", &[step(&name, 0)]).unwrap();
        assert!(!chart.contains("<script") && !chart.contains("<b>"), "{chart}");
        assert_eq!(chart.matches("words").count(), 40);
        assert!(chart.contains("0 reports"));
    }
}
