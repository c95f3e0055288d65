//! A segmented study as a page in a single file: its pictures, its levels, what is doubtful.

use askama::Template;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use sha2::{Digest, Sha256};

use super::STYLE;
use super::tone::{self, Tone};
use crate::label::{Grade, TARGETS, TargetRow, Verdict};

/// The stylesheet of this page alone.
const OWN_STYLE: &str = include_str!("../../templates/spine.css");

/// What the page shows.
#[derive(Debug, Clone, Default)]
pub struct SpinePage {
    /// What the study is called.
    pub title: String,
    /// Why a person should look at the names; empty where none needs to.
    pub doubts: Vec<String>,
    /// Whether the names are doubtful.
    pub needs_a_person: bool,
    /// The whole spine from the side.
    pub median: Figure,
    /// A row a level.
    pub levels: Vec<LevelRow>,
    /// How a network grades the levels that have a name; empty where none was asked.
    pub grades: Vec<GradedLevel>,
    /// What is to be said of the grades.
    pub about_grades: String,
    /// What is to be said of all levels together.
    pub remarks: Vec<String>,
    /// Series: name, kind, reason.
    pub series: Vec<[String; 3]>,
    /// What was noticed, and files that gave nothing.
    pub notes: Vec<String>,
}

/// A level on the page.
#[derive(Debug, Clone, Default)]
pub struct LevelRow {
    /// Its name.
    pub name: String,
    /// How sure the name is, in percent.
    pub confidence: String,
    /// Measures, in the order of [`MEASURES`]; empty where there is none.
    pub measures: [String; MEASURES.len()],
    /// The plane across the canal behind its disc.
    pub axial: Option<Figure>,
    /// The slice of axial T2 through its disc.
    pub axial_t2: Option<Figure>,
}

/// A level as a network grades it.
#[derive(Debug, Clone, Default)]
pub struct GradedLevel {
    /// Its name.
    pub name: String,
    /// By [`TARGETS`]; nothing where the target was not graded.
    pub cells: [Option<GradedCell>; TARGETS.len()],
}

/// A target as a network grades it.
#[derive(Debug, Clone)]
pub struct GradedCell {
    /// The grade.
    pub grade: Grade,
    /// How probable each grade is, in words.
    pub shares: String,
    /// The grades that cannot be excluded, in words; empty where there is one.
    pub may_be: String,
}

impl SpinePage {
    fn has_axial_t2(&self) -> bool {
        self.levels.iter().any(|level| level.axial_t2.is_some())
    }
}

impl GradedCell {
    fn tone(&self) -> &'static Tone {
        tone::of(Verdict::Graded(self.grade))
    }
}

/// The measures that the page shows: what they are, and in which unit.
pub const MEASURES: [(&str, &str); 8] = [
    ("canal AP", "mm"),
    ("canal area", "mm²"),
    ("least area", "mm²"),
    ("central", "by area"),
    ("disc height", "mm"),
    ("to neighbours", "×"),
    ("listhesis", "mm"),
    ("body height", "mm"),
];

/// Two pictures on top of each other, with lines and words.
#[derive(Debug, Clone, Default)]
pub struct Figure {
    /// What is seen, for those who do not see it.
    pub description: String,
    /// Pixels in a row, and rows.
    pub size: [usize; 2],
    /// PNG of the image.
    pub image: Vec<u8>,
    /// PNG of what is laid over it; empty where nothing is.
    pub overlay: Vec<u8>,
    /// Lines between two pixels.
    pub lines: Vec<[f64; 4]>,
    /// Words at pixels.
    pub words: Vec<(f64, f64, String)>,
}

impl Figure {
    fn image_uri(&self) -> String {
        format!("data:image/png;base64,{}", BASE64_STANDARD.encode(&self.image))
    }

    fn overlay_uri(&self) -> String {
        format!("data:image/png;base64,{}", BASE64_STANDARD.encode(&self.overlay))
    }

    /// The figure as a picture file of its own.
    ///
    /// # Errors
    /// Never in practice: a template into a string.
    pub fn svg(&self) -> Result<String, askama::Error> {
        FigureFile { figure: self }.render()
    }
}

#[derive(Template)]
#[template(path = "figure.svg", escape = "html")]
struct FigureFile<'a> {
    figure: &'a Figure,
}

#[derive(Template)]
#[template(path = "spine.html")]
struct Page<'a> {
    page: &'a SpinePage,
    style: String,
    policy: String,
    measures: [(&'static str, &'static str); MEASURES.len()],
    targets: &'static [TargetRow],
}

/// The page of a study. It needs no other file and reaches for none.
///
/// # Errors
/// Never in practice: a template into a string.
pub fn spine_page(page: &SpinePage) -> Result<String, askama::Error> {
    let style = format!("{STYLE}\n{OWN_STYLE}");
    let hash = BASE64_STANDARD.encode(Sha256::digest(&style));
    let policy = format!(
        "default-src 'none'; img-src data:; style-src 'sha256-{hash}'; base-uri 'none'; \
         form-action 'none'"
    );
    Page { page, style, policy, measures: MEASURES, targets: &TARGETS }.render()
}
