//! `evaluate segmenter TABLE.csv`: how well other scanners' volumes are read.

use std::collections::BTreeMap;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use super::as_json;
use crate::cli::INCOMPLETE;
use crate::cli::output::stdout;
use crate::engine::unet::Segmenter;
use crate::learn::segmenter::{Known, VolumeScore};

/// What `--json` prints.
#[derive(Serialize)]
struct Results {
    volumes: Vec<VolumeScore>,
    groups: Vec<Group>,
}

/// Sums over the volumes of a group.
#[derive(Default, Serialize)]
struct Group {
    group: String,
    volumes: usize,
    known: usize,
    found: usize,
    named: usize,
    /// Volumes whose names a person is asked to look at.
    flagged: usize,
    /// Volumes with wrong names, or all of them in the wrong place, that nobody is asked to look at.
    silently_wrong: usize,
}

pub(super) fn run(segmenter: &Segmenter, table: &Path, json: bool) -> Result<ExitCode> {
    let known = Known::read(table)?;
    ensure!(!known.is_empty(), "`{}` lists no volume", table.display());
    let template = "{bar:30} {pos}/{len} volumes, {elapsed}, {eta} left  {msg}";
    let bar = ProgressBar::new(known.len() as u64)
        .with_style(ProgressStyle::with_template(template).expect("the template is valid"));
    let mut volumes = Vec::new();
    for known in &known {
        bar.set_message(known.image.display().to_string());
        match VolumeScore::of(segmenter, known, |_| bar.tick()) {
            Ok(score) => volumes.push(score),
            Err(error) => bar.suspend(|| {
                let error = anyhow::Error::from(error);
                eprintln!("not scored: `{}`: {error:#}", known.image.display());
            }),
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    let left_out = known.len() - volumes.len();
    let results = Results { groups: groups(&volumes), volumes };
    print(&results, json).context("the results cannot be printed")?;
    Ok(match left_out {
        0 => ExitCode::SUCCESS,
        all if all == known.len() => ExitCode::FAILURE,
        _ => ExitCode::from(INCOMPLETE),
    })
}

fn groups(volumes: &[VolumeScore]) -> Vec<Group> {
    let mut groups: BTreeMap<&str, Group> = BTreeMap::new();
    for volume in volumes {
        let group = groups.entry(&volume.group).or_default();
        group.group.clone_from(&volume.group);
        group.volumes += 1;
        group.known += volume.known;
        group.found += volume.found;
        group.named += volume.named;
        group.flagged += usize::from(volume.needs_a_person);
        group.silently_wrong += usize::from(volume.is_silently_wrong());
    }
    groups.into_values().collect()
}

fn print(results: &Results, json: bool) -> io::Result<()> {
    let mut out = BufWriter::new(stdout());
    if json {
        return as_json(&mut out, results);
    }
    writeln!(
        out,
        "{:<24} {:<12} {:>7} {:>7} {:>6}  names",
        "volume", "group", "found", "named", "Dice"
    )?;
    for volume in &results.volumes {
        let VolumeScore { known, found, named, .. } = volume;
        let dice = volume.dice.map_or_else(|| "-".to_owned(), |dice| format!("{dice:.3}"));
        let names = match volume.needs_a_person {
            true => "to check",
            false if volume.is_silently_wrong() => "WRONG",
            false => "sure",
        };
        writeln!(
            out,
            "{:<24} {:<12} {:>7} {:>7} {dice:>6}  {names}",
            volume.volume,
            volume.group,
            format!("{found}/{known}"),
            format!("{named}/{found}"),
        )?;
    }
    for group in &results.groups {
        let Group { volumes, known, found, named, flagged, silently_wrong, .. } = group;
        let share = 100.0 * *found as f64 / (*known).max(1) as f64;
        writeln!(
            out,
            "{}: {found} of {known} found ({share:.1} %), {named} named right; {flagged} of {volumes} \
             volumes to check, {silently_wrong} wrong without a word",
            group.group
        )?;
    }
    out.flush()
}
