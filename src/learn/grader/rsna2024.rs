//! A folder of the RSNA 2024 Lumbar Spine Degenerative Classification challenge: grades in
//! `train.csv`, kinds of series in `train_series_descriptions.csv`, places that readers pointed at in
//! `train_label_coordinates.csv`, and images as `train_images/<study>/<series>/<instance>.dcm`.
//!
//! Levels are cut out where readers pointed: at the canal on sagittal T2, else between the recesses
//! on axial T2, else between the foramina. Their directions follow from the points of the levels
//! above and below.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;
use serde::Deserialize;

use super::examples::{Found, is_known};
use super::row::Row;
use super::{Bad, ExamplesError};
use crate::engine::grader::{Config, Input};
use crate::export::segments::Split;
use crate::imaging::crop::Sources;
use crate::imaging::geometry::{Lps, along, direction, minus};
use crate::imaging::spine::Frame;
use crate::imaging::{Kind, Source, Study};
use crate::label::{GradeSet, Level, LevelSet, Rsna3, StenosisType, TARGETS, Target};

/// The table of grades.
pub(super) const TABLE: &str = "train.csv";
const DESCRIPTIONS: &str = "train_series_descriptions.csv";
const COORDINATES: &str = "train_label_coordinates.csv";
const IMAGES: &str = "train_images";

/// How far the back of a disc is in front of the middle of the canal, in mm: half of the usual depth
/// of a dural sac.
const CANAL_TO_DISC: f64 = 7.0;

/// What a series is called.
#[derive(Debug, Deserialize)]
struct Described {
    study_id: String,
    series_id: String,
    series_description: String,
}

/// A place that a reader pointed at. Columns that the challenge added later are passed over.
#[derive(Debug, Clone, Deserialize)]
struct Pointed {
    study_id: String,
    series_id: String,
    instance_number: i64,
    condition: String,
    level: String,
    x: f64,
    y: f64,
}

/// How patients are split, who come without.
const SHARES: [u32; 3] = [70, 15, 15];

/// Grades of all levels, and cells that cannot be read.
///
/// # Errors
/// Where the table cannot be read.
pub(super) fn rows(folder: &Path, seed: u64) -> Result<(Vec<Row>, Vec<Bad>), ExamplesError> {
    let path = folder.join(TABLE);
    let table = |source| ExamplesError::Table { path: path.clone(), source };
    let mut reader = csv::Reader::from_path(&path).map_err(table)?;
    let headers = reader.headers().map_err(table)?.clone();
    let place = |name: &str| headers.iter().position(|header| header == name);
    let study = place("study_id").ok_or_else(|| ExamplesError::Columns {
        path: path.clone(),
        columns: "study_id".to_owned(),
    })?;
    let (mut rows, mut bad) = (Vec::new(), Vec::new());
    for record in reader.records() {
        let record = record.map_err(table)?;
        let study = record.get(study).unwrap_or_default();
        for level in LevelSet::LUMBAR.iter() {
            let mut truths = [None; TARGETS.len()];
            for (truth, target) in truths.iter_mut().zip(&TARGETS) {
                let column = format!("{}_{}", target.rsna, in_columns(level));
                let word = place(&column).and_then(|at| record.get(at)).unwrap_or_default();
                match graded(word) {
                    Ok(grade) => *truth = grade,
                    Err(reason) => {
                        let place = format!("{column} of study {study}");
                        bad.push(Bad { place, reason });
                    }
                }
            }
            rows.push(Row {
                // A patient of the challenge has one study.
                patient: study.to_owned(),
                study: study.to_owned(),
                level,
                part: Split { shares: SHARES, seed }.part(study),
                images: folder.join(IMAGES).join(study),
                truths,
                own: [1.0; TARGETS.len()],
            });
        }
    }
    Ok((rows, bad))
}

/// As columns name a level, such as `l4_l5`.
fn in_columns(level: Level) -> String {
    column(level.name())
}

/// A condition or level as columns name it, such as `l4_l5` of `L4/L5`.
fn column(words: &str) -> String {
    words.trim().to_lowercase().replace([' ', '/', '-'], "_")
}

/// What a word of the table admits; nothing where there is none.
fn graded(word: &str) -> Result<Option<GradeSet>, String> {
    let is = |severity: Rsna3| word == severity.name();
    Ok(match word.trim() {
        "" => None,
        _ if is(Rsna3::NormalMild) => Some(GradeSet::NORMAL_MILD),
        _ if is(Rsna3::Moderate) => Some(GradeSet::only(2)),
        _ if is(Rsna3::Severe) => Some(GradeSet::only(3)),
        _ => return Err(format!("`{word}` is neither Normal/Mild, Moderate nor Severe")),
    })
}

/// The levels of all studies, cut out.
pub(super) fn read(
    folder: &Path,
    config: &Config,
    seed: u64,
    read: impl Fn(usize, usize) + Sync,
) -> Result<Found, ExamplesError> {
    let (rows, mut bad) = rows(folder, seed)?;
    let described = by_study(&folder.join(DESCRIPTIONS), |one: &Described| &one.study_id)?;
    let pointed = by_study(&folder.join(COORDINATES), |one: &Pointed| &one.study_id)?;
    let (done, all) = (AtomicUsize::new(0), rows.len());
    let studies: Vec<&[Row]> = rows.chunk_by(|a, b| a.study == b.study).collect();
    let found: Vec<Found> = studies
        .into_par_iter()
        .map(|levels| {
            let study = levels[0].study.as_str();
            let none = (Vec::new(), Vec::new());
            let kinds = described.get(study).unwrap_or(&none.0);
            let points = pointed.get(study).unwrap_or(&none.1);
            let wanted: Vec<&Row> = levels.iter().filter(|row| is_known(row, config)).collect();
            let found = cut(&wanted, kinds, points, config);
            read(done.fetch_add(levels.len(), Ordering::Relaxed) + levels.len(), all);
            found
        })
        .collect();
    let mut good = Vec::new();
    for (some, others) in found {
        good.extend(some);
        bad.extend(others);
    }
    Ok((good, bad))
}

/// The rows of a table by study.
fn by_study<T: for<'a> Deserialize<'a>>(
    path: &Path,
    study: impl Fn(&T) -> &String,
) -> Result<BTreeMap<String, Vec<T>>, ExamplesError> {
    let table = |source| ExamplesError::Table { path: path.to_owned(), source };
    let mut reader = csv::Reader::from_path(path).map_err(table)?;
    let mut all: BTreeMap<String, Vec<T>> = BTreeMap::new();
    for row in reader.deserialize() {
        let row: T = row.map_err(table)?;
        all.entry(study(&row).clone()).or_default().push(row);
    }
    Ok(all)
}

/// The levels of a study.
fn cut(levels: &[&Row], kinds: &[Described], points: &[Pointed], config: &Config) -> Found {
    let Some(first) = levels.first() else { return Found::default() };
    let mut study = match Study::read(&first.images) {
        Ok(study) => study,
        Err(error) => {
            let place = format!("study {}", first.study);
            return (Vec::new(), vec![Bad { place, reason: error.to_string() }]);
        }
    };
    // Readers named the series; the images have lost what tells.
    for series in &mut study.series {
        let mut slices = series.stacks.iter().flat_map(|stack| stack.slices.iter().flatten());
        let own = slices.next().and_then(|slice| folder_of(&slice.name));
        let described = kinds.iter().find(|kind| own.is_some_and(|own| own == kind.series_id));
        if let Some(kind) = described.and_then(|kind| kind_of(&kind.series_description)) {
            series.kind = kind;
        }
    }
    let middles: BTreeMap<Level, Lps> = LevelSet::LUMBAR
        .iter()
        .filter_map(|level| Some((level, middle(&study, points, level)?)))
        .collect();
    let sources = Sources::of(&study, None);
    let mut found = Found::default();
    for &row in levels {
        match frame(&middles, row.level) {
            Some(frame) => {
                let segment = sources.cut(&frame).segment;
                found.0.push((row.clone(), Input::new(config, &segment)));
            }
            None => {
                let place = format!("{} of study {}", row.level, row.study);
                let reason = "no reader pointed at it on an image that is there".to_owned();
                found.1.push(Bad { place, reason });
            }
        }
    }
    found
}

/// The folder of a file that is named from the study's on: the series.
fn folder_of(file: &str) -> Option<&str> {
    file.split_once(['/', '\\']).map(|(folder, _)| folder)
}

fn kind_of(description: &str) -> Option<Kind> {
    match description {
        "Sagittal T2/STIR" => Some(Kind::SagittalT2),
        "Sagittal T1" => Some(Kind::SagittalT1),
        "Axial T2" => Some(Kind::AxialT2),
        _ => None,
    }
}

/// The middle of the canal at a level, as far as readers pointed at it.
fn middle(study: &Study, points: &[Pointed], level: Level) -> Option<Lps> {
    let own = in_columns(level);
    let place = |target: Target| {
        let is_own = |point: &&Pointed| {
            column(&point.level) == own && column(&point.condition) == target.row().rsna
        };
        points.iter().find(is_own).and_then(|point| place(study, point))
    };
    let between = |of: StenosisType| {
        let [left, right] = [0, 1].map(|side| Target::of(of, None).nth(side).and_then(place));
        Some(along(left?, minus(right?, left?), 0.5))
    };
    let recesses = between(StenosisType::Recess);
    let canal = place(Target::Central).map(|canal| match recesses {
        // Sagittal slices are too far apart to tell how far to the left the canal is.
        Some([left, ..]) => [left, canal[1], canal[2]],
        None => canal,
    });
    canal.or(recesses).or_else(|| between(StenosisType::Foraminal))
}

/// Where in the patient a reader pointed.
fn place(study: &Study, point: &Pointed) -> Option<Lps> {
    let file = format!("{}.dcm", point.instance_number);
    let is_file = |name: &str| {
        folder_of(name) == Some(point.series_id.as_str()) && name.ends_with(&file) && {
            name.len() == point.series_id.len() + 1 + file.len()
        }
    };
    study.series.iter().flat_map(|series| &series.stacks).find_map(|stack| {
        let of =
            |source: &Option<Source>| source.as_ref().is_some_and(|source| is_file(&source.name));
        let k = stack.slices.iter().position(of)?;
        Some(stack.volume.geometry.to_patient([point.x, point.y, k as f64]))
    })
}

/// The middle of a level's crops, and their directions: along the canal's middles.
fn frame(middles: &BTreeMap<Level, Lps>, level: Level) -> Option<Frame> {
    let own = *middles.get(&level)?;
    let above = middles.range(..level).next_back().map_or(own, |(_, at)| *at);
    let below = middles.range(level..).nth(1).map_or(own, |(_, at)| *at);
    let down = direction(minus(below, above)).filter(|down| down[2] < 0.0);
    let canal = Frame::new(own, down.unwrap_or([0.0, 0.0, -1.0]));
    Some(Frame { at: canal.place(0.0, CANAL_TO_DISC, 0.0), ..canal })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_the_table_are_grades_or_told_of() {
        assert_eq!(graded("Normal/Mild"), Ok(Some(GradeSet::NORMAL_MILD)));
        assert_eq!(graded("Severe"), Ok(Some(GradeSet::only(3))));
        assert_eq!(graded(""), Ok(None));
        assert!(graded("Mild").unwrap_err().contains("`Mild`"));
    }

    #[test]
    fn planes_follow_the_canal() {
        let middles: BTreeMap<Level, Lps> = [
            (Level::L3L4, [0.0, 0.0, 60.0]),
            (Level::L4L5, [0.0, 0.0, 30.0]),
            (Level::L5S1, [0.0, 30.0, 0.0]),
        ]
        .into();
        let down = |level| frame(&middles, level).unwrap().down;
        assert_eq!(down(Level::L3L4), [0.0, 0.0, -1.0]);
        assert!((down(Level::L5S1)[1] - 0.5f64.sqrt()).abs() < 1e-9);
        assert!(down(Level::L4L5)[1] > 0.4 && down(Level::L4L5)[2] < -0.8);
        let at = frame(&middles, Level::L3L4).unwrap().at;
        assert_eq!(at, [0.0, -CANAL_TO_DISC, 60.0]);
        assert!(frame(&middles, Level::L1L2).is_none());
    }
}
