//! A reading written by hand, with something of everything that a page shows.

use deepspine::label::{
    Cell, Certainty, Directness, Grade, Level, Naming, Opinion, Span, Statement, Target, Trace,
    resolve,
};
use deepspine::page::{Note, Sheet};

pub const TEXT: &str = "\
MRI LUMBAR SPINE WITHOUT CONTRAST

CLINICAL INDICATION: 67-year-old woman. Low back pain and left leg pain on walking, worse over six months. Evaluate for severe stenosis.

TECHNIQUE: Sagittal T1, T2 and STIR, axial T1 and T2 weighted sequences. No contrast was given.

COMPARISON: MRI of the lumbar spine, 14 March 2021.

FINDINGS:
Five lumbar-type vertebral bodies. Grade 1 degenerative anterolisthesis of L4 on L5, unchanged. Vertebral body heights are maintained. The conus ends at L1 and is normal in signal.

L1-L2 and L2-L3: No disc herniation. No spinal canal or foraminal stenosis.

L3-L4: Broad-based disc bulge and bilateral facet arthropathy, mildly flattening the thecal sac. The spinal canal is adequate. Mild bilateral neural foraminal narrowing, left greater than right.

L4-L5: Uncovering of the disc with a left paracentral protrusion, advanced facet arthropathy and ligamentum flavum thickening. There is severe spinal canal stenosis; the AP diameter of the canal is 6 mm. Moderate to severe left and mild to moderate right foraminal narrowing. The left lateral recess is effaced with compression of the traversing left L5 nerve root. The right lateral recess is probably mildly narrowed.

L5–S1: Disc desiccation with a shallow central protrusion and an annular fissure, Modic type 2 change. No disc extrusion. No significant canal stenosis. Moderate left foraminal narrowing. The right foramen is patent.

IMPRESSION:
1. Degenerative change, worst at L4-L5, with moderate canal stenosis that has progressed since 2021.
2. Possible contact with the exiting left L5 nerve root at L5–S1.
3. The spinal canal is otherwise capacious throughout.
";

/// The span of `words` where they first stand after `anchor`.
pub fn span(text: &str, anchor: &str, words: &str) -> Span {
    let from = text.find(anchor).unwrap_or_else(|| panic!("no `{anchor}`"));
    let start = from + text[from..].find(words).unwrap_or_else(|| panic!("no `{words}`"));
    Span { start: start as u32, end: (start + words.len()) as u32 }
}

/// A direct, plain statement whose level is named; its words stand after `anchor`.
pub fn statement(
    text: &str,
    level: Level,
    target: Target,
    grade: Grade,
    anchor: &str,
    words: &[&str],
) -> Statement {
    Statement {
        cell: Cell { level, target },
        grade,
        certainty: Certainty::Stated,
        directness: Directness::Direct,
        naming: Naming::Named,
        evidence: words.iter().map(|words| span(text, anchor, words)).collect(),
        trace: Trace::of(&[3]).and(match target {
            Target::Central => Trace::of(&[10]),
            Target::ForaminalLeft | Target::ForaminalRight => Trace::of(&[12]),
            Target::RecessLeft | Target::RecessRight => Trace::of(&[13]),
        }),
    }
}

fn ruled(statement: Statement, rules: &[u8]) -> Statement {
    Statement { trace: statement.trace.and(Trace::of(rules)), ..statement }
}

fn normal_upper_levels() -> Vec<Statement> {
    let anchor = "L1-L2 and";
    let both = [("L1-L2", Level::L1L2), ("L2-L3", Level::L2L3)];
    both.into_iter()
        .flat_map(|(name, level)| {
            let say = |target, noun: &'static str| {
                let words = [name, "No spinal canal", noun, "stenosis"];
                ruled(
                    statement(TEXT, level, target, Grade::Normal, anchor, &words),
                    &[4, 14, 15, 20],
                )
            };
            [
                ruled(
                    statement(
                        TEXT,
                        level,
                        Target::Central,
                        Grade::Normal,
                        anchor,
                        &[name, "No spinal canal", "stenosis"],
                    ),
                    &[4, 14, 20],
                ),
                say(Target::ForaminalLeft, "foraminal"),
                say(Target::ForaminalRight, "foraminal"),
            ]
        })
        .collect()
}

fn statements() -> Vec<Statement> {
    use Grade::{Mild, MildModerate, Moderate, ModerateSevere, Normal, Present, Severe};
    use Target::{Central, ForaminalLeft, ForaminalRight, RecessLeft, RecessRight};
    let l34 = |target, grade, words: &[&str]| {
        statement(TEXT, Level::L3L4, target, grade, "L3-L4: Broad", words)
    };
    let l45 = |target, grade, words: &[&str]| {
        ruled(statement(TEXT, Level::L4L5, target, grade, "L4-L5: Unc", words), &[18])
    };
    let l5 = |target, grade, words: &[&str]| {
        statement(TEXT, Level::L5S1, target, grade, "L5–S1: Disc", words)
    };
    let mut all = normal_upper_levels();
    all.push(Statement {
        directness: Directness::Indirect,
        trace: Trace::of(&[3, 11]),
        ..l34(Central, Mild, &["L3-L4", "mildly flattening the thecal sac"])
    });
    all.push(l34(Central, Normal, &["L3-L4", "spinal canal is adequate"]));
    for target in [ForaminalLeft, ForaminalRight] {
        let words = ["L3-L4", "Mild bilateral neural foraminal narrowing"];
        all.push(ruled(l34(target, Mild, &words), &[15, 16, 18]));
    }
    all.push(l45(Central, Severe, &["L4-L5", "severe spinal canal stenosis"]));
    all.push(ruled(
        l45(
            ForaminalLeft,
            ModerateSevere,
            &["L4-L5", "Moderate to severe left", "foraminal narrowing"],
        ),
        &[19],
    ));
    all.push(ruled(
        l45(
            ForaminalRight,
            MildModerate,
            &["L4-L5", "mild to moderate right", "foraminal narrowing"],
        ),
        &[19],
    ));
    all.push(l45(RecessLeft, Present, &["L4-L5", "left lateral recess is effaced"]));
    all.push(Statement {
        certainty: Certainty::Hedged,
        ..l45(
            RecessRight,
            Mild,
            &["L4-L5", "right lateral recess is", "probably", "mildly narrowed"],
        )
    });
    all.push(ruled(l5(Central, Normal, &["L5–S1", "No significant canal stenosis"]), &[20]));
    all.push(ruled(
        l5(ForaminalLeft, Moderate, &["L5–S1", "Moderate left foraminal narrowing"]),
        &[18],
    ));
    all.push(l5(ForaminalRight, Normal, &["L5–S1", "right foramen is patent"]));
    all.push(ruled(
        statement(
            TEXT,
            Level::L4L5,
            Central,
            Moderate,
            "worst at",
            &["L4-L5", "moderate canal stenosis"],
        ),
        &[6, 18],
    ));
    for level in [Level::L1L2, Level::L2L3, Level::L3L4, Level::L4L5, Level::L5S1] {
        let words = ["spinal canal", "capacious throughout"];
        all.push(Statement {
            naming: Naming::Universal,
            trace: Trace::of(&[5, 10]),
            ..statement(TEXT, level, Central, Normal, "3. The spinal", &words)
        });
    }
    all
}

/// The sample's opinions, by cell.
pub fn opinions() -> Vec<Opinion> {
    let statements = statements();
    let mut cells: Vec<Cell> = statements.iter().map(|statement| statement.cell).collect();
    cells.sort();
    cells.dedup();
    cells.into_iter().map(|cell| resolve(cell, statements.clone())).collect()
}

fn note(what: &str, level: Option<Level>, anchor: &str, words: &str) -> Note {
    Note {
        what: what.to_owned(),
        level,
        negated: false,
        certainty: Certainty::Stated,
        span: span(TEXT, anchor, words),
    }
}

/// The sample's mentions.
pub fn mentions() -> Vec<Note> {
    let l34 = |what, words| note(what, Some(Level::L3L4), "L3-L4: B", words);
    let l45 = |what, words| note(what, Some(Level::L4L5), "L4-L5: Unc", words);
    let l5 = |what, words| note(what, Some(Level::L5S1), "L5–S1: Disc", words);
    vec![
        note("listhesis 1", Some(Level::L4L5), "Grade 1", "anterolisthesis"),
        l34("bulge", "disc bulge"),
        l34("facet arthropathy", "facet arthropathy"),
        l45("protrusion, left", "left paracentral protrusion"),
        l45("facet arthropathy", "facet arthropathy"),
        l45("flavum thickening", "ligamentum flavum thickening"),
        l45("nerve root compression, left", "compression"),
        l5("protrusion", "protrusion"),
        l5("annular fissure", "annular fissure"),
        l5("modic change 2", "Modic type 2 change"),
        Note { negated: true, ..l5("extrusion", "No disc extrusion") },
        Note {
            certainty: Certainty::Hedged,
            ..note("nerve root contact, left", Some(Level::L5S1), "2. Possible", "Possible contact")
        },
    ]
}

/// The sample's measurements.
pub fn measurements() -> Vec<Note> {
    let words = "AP diameter of the canal is 6 mm";
    vec![note("canal diameter 6 mm", Some(Level::L4L5), "L4-L5: Unc", words)]
}

/// Calls `look` with the sample.
pub fn with_sheet<T>(look: impl FnOnce(&Sheet<'_>) -> T) -> T {
    look(&Sheet {
        title: "LS-2024-0417",
        reader: "rules 0.1.0, lexicon en 1",
        text: TEXT,
        opinions: &opinions(),
        mentions: &mentions(),
        measurements: &measurements(),
    })
}
