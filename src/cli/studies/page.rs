//! What the page of a study shows, and how its pictures are marked.

use half::f16;

use crate::imaging::picture::{Axial, Median, Picture, Window, strip};
use crate::imaging::spine::{Disc, Foramen, Frame, LevelMeasures, Section, behind};
use crate::imaging::{Cut, Kind, Study};
use crate::label::{LADDER, Level, TARGETS};
use crate::page::{Figure, GradedCell, GradedLevel, LevelRow, MEASURES, SpinePage};
use crate::pipeline::study::{LevelRecord, Record, Segmented};

/// The page of a study; `cuts` are its levels from the lowest up, where they were cut out.
pub(super) fn page(
    record: &Record,
    study: &Study,
    found: &Segmented<'_>,
    cuts: &[Cut],
) -> SpinePage {
    let window = Window::of(found.volume);
    let column = &found.spine.column;
    let median = Median::of(found.volume, column);
    let mut picture = figure(median.picture(found.volume, &found.parts, window));
    picture.description = "The spine from the side, with its levels named".to_owned();
    let mut levels = Vec::new();
    let cuts = cuts.iter().rev().map(Some).chain(std::iter::repeat(None));
    for ((level, disc), cut) in record.levels.iter().zip(&column.discs).zip(cuts) {
        let name = level.level.map_or_else(|| format!("disc {}", level.ordinal), |l| l.to_string());
        let front = disc.frame().place(0.0, 26.0, 0.0);
        let (x, y) = median.pixel(front);
        picture.words.push(((x - 46.0).max(2.0), y + 4.0, name.clone()));
        if let Some(canal) = level.measures.canal {
            let across = Frame::new(canal.centre, disc.down);
            let end = |front: f64| median.pixel(across.place(0.0, front, 0.0));
            let ((x1, y1), (x2, y2)) = (end(canal.ap / 2.0), end(-canal.ap / 2.0));
            picture.lines.push([x1, y1, x2, y2]);
        }
        levels.push(LevelRow {
            confidence: format!("{:.0}", 100.0 * level.confidence),
            measures: shown(level),
            axial: axial(found, disc, &level.measures, window),
            axial_t2: cut
                .and_then(axial_t2)
                .map(|image| Figure { description: format!("Axial T2 through {name}"), ..image }),
            name,
        });
    }
    let notes =
        record.refused.iter().map(|refusal| format!("{}: {}", refusal.file, refusal.reason));
    SpinePage {
        title: record.study.clone(),
        doubts: record.doubts.clone(),
        needs_a_person: record.needs_a_person,
        median: picture,
        levels,
        grades: record.levels.iter().filter_map(graded).collect(),
        about_grades: about_grades(record),
        remarks: remarks(record),
        series: study
            .series
            .iter()
            .map(|series| {
                [series.name.clone(), series.kind.name().to_owned(), series.reason.clone()]
            })
            .collect(),
        notes: record.series.iter().flat_map(|series| series.notes.clone()).chain(notes).collect(),
    }
}

fn figure(picture: Picture) -> Figure {
    Figure {
        size: [picture.width, picture.height],
        image: picture.image,
        overlay: picture.overlay,
        ..Figure::default()
    }
}

/// The slice of axial T2 that is nearest to the middle of a level among those that show it best.
fn axial_t2(cut: &Cut) -> Option<Figure> {
    let crop = cut.segment.crops.get(&Kind::AxialT2)?;
    let [width, height, slices] = crop.geometry.size;
    let covered = cut.covered.get(&Kind::AxialT2)?;
    let place = |&slice: &usize| {
        let shown = (100.0 * covered.get(slice).copied().unwrap_or(0.0)) as i32;
        (-shown, (2 * slice + 1).abs_diff(slices))
    };
    let slice = (0..slices).min_by_key(place)?;
    let pixels = &crop.values[slice * width * height..][..width * height];
    let bright = brightest(pixels, width);
    let image = strip(pixels.iter().map(|value| value.to_f32() / bright), width, height);
    Some(Figure { size: [width, height], image, ..Figure::default() })
}

/// How bright the brightest of the middle of a picture is, where the canal is; fat below the skin, near the
/// coil, is often far brighter.
fn brightest(pixels: &[f16], width: usize) -> f32 {
    const SHARE: f64 = 0.995;
    let height = pixels.len() / width;
    let rows = pixels.chunks(width).skip(height / 4).take(height / 2);
    let mut middle: Vec<f32> =
        rows.flat_map(|row| &row[width / 4..3 * width / 4]).map(|value| value.to_f32()).collect();
    let place = (SHARE * middle.len() as f64) as usize;
    let (_, bright, _) = middle.select_nth_unstable_by(place, f32::total_cmp);
    bright.max(f32::MIN_POSITIVE)
}

/// A level as the network grades it; none without a name or a grade.
fn graded(level: &LevelRecord) -> Option<GradedLevel> {
    let name = level.level.filter(|_| !level.grades.is_empty())?.to_string();
    let mut cells = [const { None }; TARGETS.len()];
    for of in &level.grades {
        let shares = LADDER.iter().zip(of.probabilities);
        let shares: Vec<String> =
            shares.map(|(grade, share)| format!("{grade} {:.0} %", 100.0 * share)).collect();
        let [low, high] = of.may_be;
        let may_be = if of.is_open() { format!("{low} to {high}") } else { String::new() };
        cells[of.target as usize] =
            Some(GradedCell { grade: of.grade, shares: shares.join(", "), may_be });
    }
    Some(GradedLevel { name, cells })
}

/// What grades rest on, and how far to trust them.
fn about_grades(record: &Record) -> String {
    let coverage = record.grader.as_ref().map_or(0.0, |grader| grader.coverage);
    let seen = record.series.iter().filter(|series| series.kind != Kind::Other);
    let seen: Vec<&str> = seen.map(|series| series.kind.words()).collect();
    let graded = format!(
        "Graded by a network from {}. Where several grades are named, it cannot exclude the others: \
         they hold the truth in {:.0} of 100 cases of the kind that it was calibrated on.",
        seen.join(", "),
        100.0 * coverage
    );
    let open = record.levels.iter().flat_map(|level| &level.grades).filter(|of| of.is_open());
    let ungraded = record.levels.iter().filter(|level| level.grades.is_empty()).count();
    let open = match open.count() {
        0 => None,
        1 => Some("A person should look at one such grade.".to_owned()),
        open => Some(format!("A person should look at {open} such grades.")),
    };
    let ungraded = (ungraded > 0).then(|| {
        format!(
            "Levels without a grade ({ungraded}) have no name, are not lumbar, or are out of view of these \
             series."
        )
    });
    [Some(graded), open, ungraded].into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// What is to be said of all levels together.
fn remarks(record: &Record) -> Vec<String> {
    let lordosis =
        record.lordosis.map(|angle| format!("Lordosis between T12-L1 and L5-S1: {angle:.0}°."));
    let out_of_view = |level: &LevelRecord| {
        let LevelMeasures { left_foramen, right_foramen, .. } = level.measures;
        [left_foramen, right_foramen].contains(&Foramen::OutOfView)
    };
    let foramina = match record.levels.iter().filter(|level| out_of_view(level)).count() {
        0 => None,
        all if all == record.levels.len() => Some("The image ends before the foramina.".to_owned()),
        some => Some(format!("The image ends before foramina of {some} levels.")),
    };
    let is_on_sacrum = |level: &LevelRecord| {
        let is_named = matches!(level.level, Some(Level::L5S1 | Level::L6S1));
        is_named && level.measures.listhesis.is_none()
    };
    let sacrum = record.levels.iter().any(is_on_sacrum).then(|| {
        "Foramina and slip of the lowest level are not measured: the sacrum is not segmented."
            .to_owned()
    });
    let thresholds = record.thresholds;
    let graded = record.levels.iter().any(|level| level.central.is_some()).then(|| {
        format!(
            "Central stenosis is graded by the least area of the dural sac: from {} mm² normal, from \
             {} mild, from {} moderate, else severe.",
            thresholds.normal, thresholds.mild, thresholds.moderate
        )
    });
    let given = record.segmenter.is_none().then(|| {
        "Vertebrae, discs and canal were taken from a mask that was given, not found by the network."
            .to_owned()
    });
    [lordosis, foramina, sacrum, graded, given].into_iter().flatten().collect()
}

/// Measures as the page shows them, in the order of its table.
fn shown(record: &LevelRecord) -> [String; MEASURES.len()] {
    let level = &record.measures;
    let whole = |section: Option<Section>| {
        section.filter(|section| !section.is_cut).map(|section| section.area)
    };
    let number = |value: Option<f64>, digits: usize| {
        value.map_or_else(String::new, |value| format!("{value:.digits$}"))
    };
    [
        number(level.canal.map(|canal| canal.ap), 1),
        number(whole(level.canal), 0),
        number(whole(level.narrowest), 0),
        record.central.map_or_else(String::new, |grade| grade.name().replace('_', " ")),
        number(level.disc_height, 1),
        number(level.height_ratio, 2),
        number(level.listhesis, 1),
        number(record.body_above.middle, 1),
    ]
}

/// The plane across the canal behind a disc.
fn axial(
    found: &Segmented<'_>,
    disc: &Disc,
    level: &LevelMeasures,
    window: Window,
) -> Option<Figure> {
    let (canal, section) = (found.spine.column.canal.as_ref()?, level.canal?);
    let mut frame = canal.curve.frame(behind(&canal.curve, disc));
    frame.at = section.centre;
    let plane = Axial(frame);
    let mut figure = figure(plane.picture(found.volume, &found.parts, window));
    let half = section.ap / 2.0;
    let ((x, from), (_, to)) =
        (plane.pixel(frame.place(0.0, half, 0.0)), plane.pixel(frame.place(0.0, -half, 0.0)));
    figure.lines.push([x, from, x, to]);
    let canal = match section.is_cut {
        false => format!("AP {:.1} mm, {:.0} mm²", section.ap, section.area),
        true => format!("AP {:.1} mm; the image ends beside it", section.ap),
    };
    figure.description = match foramina(level) {
        Some(foramina) => format!("{canal}; {foramina}"),
        None => canal,
    };
    Some(figure)
}

/// The sizes of the foramina that were measured.
fn foramina(level: &LevelMeasures) -> Option<String> {
    let of = |foramen, side| match foramen {
        Foramen::NotFound | Foramen::OutOfView => None,
        Foramen::Measured { height, width } => Some(format!("{side} {height:.0}×{width:.0} mm")),
    };
    let both = [of(level.left_foramen, "left"), of(level.right_foramen, "right")];
    let both: Vec<String> = both.into_iter().flatten().collect();
    (!both.is_empty()).then(|| format!("foramina: {}", both.join(", ")))
}
