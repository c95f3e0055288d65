//! Invented studies: read back as they were written, measured as they were meant, graded by what is there.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use deepspine::extract::{Extractor, Lexicon};
use deepspine::imaging::geometry::{along, cross, direction, dot, length, minus};
use deepspine::imaging::{Geometry, Kind, Study, Tissue, nifti};
use deepspine::label::agreement::{Table, Weights, cohen_kappa};
use deepspine::label::{Cell, Grade, Level, StenosisType, Target, Verdict};
use deepspine::pipeline::read_text;
use deepspine::simulate::{SimulatedStudy, Simulation, StudyOptions, Variant};

const USUAL: StudyOptions = StudyOptions::USUAL;

fn studies(seed: u64, count: u64, options: StudyOptions) -> Vec<SimulatedStudy> {
    let simulation = Simulation::new(seed);
    (0..count).map(|number| simulation.study(number, &options)).collect()
}

/// The place of a grade among the four that truths have.
fn step(grade: Grade) -> usize {
    const GRADES: [Grade; 4] = [Grade::Normal, Grade::Mild, Grade::Moderate, Grade::Severe];
    GRADES.iter().position(|other| *other == grade).unwrap()
}

fn simulate(arguments: &[&str], to: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_deepspine"))
        .args(["simulate", "studies"])
        .args(arguments)
        .arg("-o")
        .arg(to)
        .output()
        .unwrap()
}

/// All files of a folder with what they hold.
fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    walkdir::WalkDir::new(folder)
        .into_iter()
        .map(|entry| entry.unwrap().into_path())
        .filter(|path| path.is_file())
        .map(|path| (path.strip_prefix(folder).unwrap().to_owned(), fs::read(&path).unwrap()))
        .collect()
}

#[test]
fn a_seed_decides_every_byte_and_what_is_written_is_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let [one, two] = ["one", "two"].map(|name| folder.path().join(name));
    let arguments = ["--count", "1", "--seed", "8", "--no-axial", "0", "--straight", "0"];
    for to in [&one, &two] {
        let output = simulate(&arguments, to);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let files = contents(&one);
    assert!(files == contents(&two), "the same seed invents the same files");
    assert!(simulate(&arguments, &one).status.success(), "what is there stays");
    let other = simulate(&["--count", "1", "--seed", "9"], &one);
    assert!(String::from_utf8_lossy(&other.stderr).contains("another study"));

    let study = Study::read(&one.join("studies/SIM0000000")).unwrap();
    let refused: Vec<_> = study.refused.iter().map(|refusal| refusal.file.as_str()).collect();
    assert!(refused.is_empty(), "all is read: {refused:?}");
    let of = |kind| study.series.iter().find(|series| series.kind == kind);
    let simulated = &studies(8, 1, StudyOptions { no_axial: 0.0, straight: 0.0, ..USUAL })[0];
    let mask = fs::read(one.join("truth/SIM0000000.nii.gz")).unwrap();
    let mask = nifti::read(&mut flate2::read::GzDecoder::new(mask.as_slice())).unwrap();
    for kind in [Kind::SagittalT2, Kind::SagittalT1] {
        let series = of(kind).unwrap();
        assert!(
            series.notes.is_empty() && series.stacks.len() == 1,
            "{kind:?}: {:?}",
            series.notes
        );
        let read = series.stacks[0].volume.geometry;
        let meant = simulated.mask().geometry;
        assert_eq!(read.size, meant.size);
        for corner in [[0.0; 3], meant.size.map(|side| side as f64 - 1.0)] {
            let away = minus(meant.to_patient(corner), to_nearest(&read, meant.to_patient(corner)));
            assert!(length(away) < 2e-3, "{kind:?}: {away:?}");
            let away = minus(meant.to_patient(corner), mask.geometry.to_patient(corner));
            assert!(length(away) < 2e-3, "mask: {away:?}");
        }
    }
    let axial = of(Kind::AxialT2).unwrap();
    assert_eq!(axial.stacks.len(), 5, "a stack along each disc");
    assert_eq!(axial.protocol.accession.as_deref(), Some("SIM0000000"));
    // Each disc has a stack that lies along it.
    for level in &simulated.truth.levels {
        let nearest = axial.stacks.iter().any(|stack| {
            let [row, column, _] = stack.volume.geometry.steps;
            let normal = direction(cross(row, column)).unwrap();
            let off = minus(level.centre, stack.volume.geometry.centre());
            dot(normal, level.down).abs() > 0.98 && dot(off, normal).abs() < 4.0
        });
        assert!(nearest, "{}", level.level);
    }
    let table = String::from_utf8(files[Path::new("truth.csv")].clone()).unwrap();
    assert_eq!(table.lines().count(), 1 + 25);
    let import = Command::new(env!("CARGO_BIN_EXE_deepspine"))
        .arg("import")
        .arg(one.join("reports.csv"))
        .arg("--data")
        .arg(folder.path().join("archive"))
        .output()
        .unwrap();
    assert!(import.status.success(), "{}", String::from_utf8_lossy(&import.stderr));
}

/// A place as the nearest voxel of a grid has it.
fn to_nearest(geometry: &Geometry, place: [f64; 3]) -> [f64; 3] {
    geometry.to_patient(geometry.to_voxel(place).map(f64::round))
}

#[test]
fn the_sac_is_as_large_as_is_said_and_lies_behind_its_disc() {
    for study in studies(2, 4, USUAL) {
        for level in &study.truth.levels {
            // A fine grid normal to the curve behind the disc.
            let across = direction(cross(level.down, [0.0, 1.0, 0.0])).unwrap();
            let behind = cross(level.down, across);
            let behind = if behind[1] < 0.0 { behind.map(|part| -part) } else { behind };
            const PIXEL: f64 = 0.2;
            let (side, middle) = (180, along(level.centre, behind, 9.0));
            let half = -PIXEL * (f64::from(side) - 1.0) / 2.0;
            let corner = along(along(middle, across, half), behind, half);
            let steps = [across.map(|p| p * PIXEL), behind.map(|p| p * PIXEL), level.down];
            let geometry = Geometry::new([side as usize, side as usize, 1], corner, steps).unwrap();
            let mask = study.tissues(geometry);
            let sac = mask.values.iter().filter(|v| **v == Tissue::Canal.number()).count();
            let area = sac as f64 * PIXEL * PIXEL;
            let error = (area / level.sac_area - 1.0).abs();
            assert!(error < 0.04, "{}: {area:.1}, not {:.1} mm2", level.level, level.sac_area);
            let before = mask.nearest(along(level.centre, behind, -4.0));
            assert_eq!(before, Some(Tissue::Disc.number()), "{}", level.level);
        }
    }
}

#[test]
fn what_is_graded_worse_is_narrower() {
    let mut sizes: BTreeMap<(StenosisType, usize), Vec<f64>> = BTreeMap::new();
    for study in studies(4, 150, StudyOptions { laminectomy: 0.0, ..USUAL }) {
        for level in &study.truth.levels {
            for target in Target::ALL {
                let side = usize::from(target.name().ends_with("right"));
                let size = match target.row().stenosis {
                    StenosisType::Central => level.sac_area,
                    StenosisType::Foraminal => level.foramen_size[side][1],
                    StenosisType::Recess => level.recess_depth[side],
                };
                let cell = level.cell(target);
                let severe = (cell.severity as usize).min(3);
                assert_eq!(step(cell.grade), severe, "grades are severities cut into steps");
                sizes.entry((target.row().stenosis, severe)).or_default().push(size);
            }
        }
    }
    for stenosis in [StenosisType::Central, StenosisType::Foraminal, StenosisType::Recess] {
        let means: Vec<f64> = (0..4)
            .map(|step| {
                let all = &sizes[&(stenosis, step)];
                assert!(all.len() > 10, "{stenosis:?} {step}: {}", all.len());
                all.iter().sum::<f64>() / all.len() as f64
            })
            .collect();
        assert!(means.windows(2).all(|pair| pair[0] > pair[1]), "{stenosis:?}: {means:?}");
    }
}

/// The signal of a level's sac on axial slices falls as roots crowd: what a reader grades by.
#[test]
fn fluid_leaves_the_sac_as_it_narrows() {
    let options = StudyOptions { no_axial: 0.0, straight: 0.0, laminectomy: 0.0, ..USUAL };
    let mut bright: [Vec<f64>; 2] = Default::default();
    for study in studies(21, 3, options) {
        let series = study.series();
        let axial = series.iter().find(|series| series.name == "ax_t2").unwrap();
        let peak = axial.slices.iter().flat_map(|(_, v)| v).copied().max().unwrap();
        for level in &study.truth.levels {
            let severity = level.cell(Target::Central).severity;
            let place = along(level.centre, [0.0, 1.0, 0.0], level.sac_size[0] / 2.0 + 2.0);
            let off = |plane: &deepspine::imaging::Plane| {
                dot(minus(place, plane.origin), plane.normal).abs()
            };
            let nearest = axial.slices.iter().min_by(|(a, _), (b, _)| off(a).total_cmp(&off(b)));
            let (plane, values) = nearest.unwrap();
            let at = plane.steps.map(|step| {
                (dot(minus(place, plane.origin), step) / dot(step, step)).round() as usize
            });
            let mut around: Vec<u16> = (0..9)
                .map(|n| values[(at[1] + n / 3 - 1) * plane.size[0] + at[0] + n % 3 - 1])
                .collect();
            around.sort_unstable();
            bright[usize::from(severity > 2.0)].push(f64::from(around[4]) / f64::from(peak));
        }
    }
    let [wide, narrow] = bright.map(|all| all.iter().sum::<f64>() / all.len() as f64);
    assert!(narrow < 0.75 * wide, "{narrow} in narrow sacs, {wide} in wide ones");
}

#[test]
fn the_second_reader_agrees_as_radiologists_do() {
    let mut tables: BTreeMap<StenosisType, Table<4>> = BTreeMap::new();
    for study in studies(13, 400, USUAL) {
        for level in &study.truth.levels {
            for target in Target::ALL {
                let cell = level.cell(target);
                let table = tables.entry(target.row().stenosis).or_insert([[0.0; 4]; 4]);
                table[step(cell.grade)][step(cell.second_reader)] += 1.0;
            }
        }
    }
    for (stenosis, table) in tables {
        let kappa = cohen_kappa(&table, Weights::Quadratic).unwrap();
        assert!((0.70..=0.85).contains(&kappa), "{stenosis:?}: {kappa:.3} {table:?}");
    }
}

#[test]
fn reports_say_what_is_there_but_for_what_was_planted() {
    let mut extractor = Extractor::new(&Lexicon::builtin("en").unwrap());
    let (mut told, mut right, mut planted) = (0, 0, 0);
    for study in studies(6, 100, StudyOptions { planted: 0.5, ..USUAL }) {
        let (_, opinions) = read_text(&mut extractor, &study.report.text);
        let mut of_study = 0;
        for level in &study.truth.levels {
            for target in Target::ALL {
                let cell = level.cell(target);
                let Some(reported) = cell.reported else { continue };
                let place = Cell { level: level.level, target };
                let found = opinions.iter().find(|opinion| opinion.cell == place);
                told += 1;
                right += usize::from(found.is_some_and(|o| o.verdict == Verdict::Graded(reported)));
                if cell.planted {
                    of_study += 1;
                    assert!(step(reported).abs_diff(step(cell.grade)) >= 2, "{place}");
                } else if let Some(rank) = reported.rank() {
                    let is = cell.grade.rank().unwrap();
                    assert!(rank.abs_diff(is) <= 1 || level.laminectomy, "{place}: {reported}");
                }
            }
        }
        assert!(of_study <= 1, "one a study");
        planted += of_study;
    }
    assert!(told > 1200, "{told} cells told");
    let share = f64::from(right as u32) / f64::from(told);
    assert!(share > 0.98, "the rules read {share} of what is told");
    assert!((35..=65).contains(&planted), "{planted} of 100 planted, half of them asked for");
}

#[test]
fn unusual_spines_are_made_where_they_are_asked_for() {
    let all = |options| studies(17, 12, options);
    let transitional = all(StudyOptions { transitional: 1.0, ..USUAL });
    for study in &transitional {
        let lowest = study.truth.levels.last().unwrap();
        let (expected, count) = match study.truth.variant {
            Variant::SixLumbar => (Level::L6S1, 6),
            Variant::Sacralized => (Level::L5S1, 5),
            Variant::Usual => panic!("all were asked to be unusual"),
        };
        assert_eq!((lowest.level, study.truth.levels.len()), (expected, count));
        assert_eq!(lowest.ordinal, 1);
    }
    let six = transitional.iter().filter(|s| s.truth.variant == Variant::SixLumbar).count();
    assert!((1..12).contains(&six), "{six} with six");
    let operated = all(StudyOptions { laminectomy: 1.0, metal: 1.0, ..USUAL });
    for study in operated {
        let level = study.truth.levels.iter().find(|level| level.laminectomy).unwrap();
        assert!(study.truth.metal && level.grades() == [Grade::Normal; 5]);
    }
    let bent = all(StudyOptions { scoliosis: 1.0, ..USUAL });
    assert!(bent.iter().all(|study| study.truth.bent_left_mm.abs() >= 9.0));
    assert!(all(StudyOptions { no_axial: 1.0, ..USUAL }).iter().all(|s| s.truth.axial.is_none()));
    // Years make a patient's levels narrower, never wider.
    let again = studies(17, 6, StudyOptions { per_patient: 2, ..USUAL });
    for pair in again.chunks(2) {
        assert_eq!(pair[0].truth.patient, pair[1].truth.patient);
        assert_ne!(pair[0].truth.study_uid, pair[1].truth.study_uid);
        for (before, after) in pair[0].truth.levels.iter().zip(&pair[1].truth.levels) {
            let target = Target::Central;
            assert!(after.cell(target).severity >= before.cell(target).severity);
        }
    }
}
