//! Files of labels that a person made elsewhere.

use std::cmp::Ordering;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use indicatif::HumanCount;

use super::super::INCOMPLETE;
use super::Args;
use super::indexing::Indexing;
use crate::archive::LabelFile;
use crate::label::{Context, Mode, Reader, ReaderKind};
use crate::store::check_name;

/// Complaints beyond these are only counted.
const COMPLAINTS: u64 = 20;

pub(super) fn run(args: &Args, person: &str) -> Result<ExitCode> {
    check_name(person).map_err(anyhow::Error::msg).context("--labels-by")?;
    let mut archive = args.data.open()?;
    let indexing = Indexing::start(&archive)?;
    let person = Reader {
        kind: ReaderKind::Person,
        name: person.to_owned(),
        version: String::new(),
        content_hash: String::new(),
    };
    let mode = if args.adjudicated { Mode::Adjudication } else { Mode::Imported };
    let mut bad = 0;
    for path in &args.files {
        let mut file = LabelFile::read(path)
            .with_context(|| format!("`{}` cannot be read", path.display()))?;
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let context = Context { batch: name, mode, seconds: 0.0 };
        let imported = archive.import_labels(path, &person, &context, &mut file)?;
        for complaint in &file.bad {
            bad += 1;
            match bad.cmp(&(COMPLAINTS + 1)) {
                Ordering::Less => eprintln!("skipped: {complaint}"),
                Ordering::Equal => eprintln!("skipped: further bad lines, only counted"),
                Ordering::Greater => {}
            }
        }
        eprintln!(
            "{}: {} reports labelled by {}, {} labelled so before",
            path.display(),
            HumanCount(imported.read),
            person.name,
            HumanCount(imported.same),
        );
    }
    eprintln!("{}", indexing.finish(&archive)?);
    eprintln!("{} bad lines skipped", HumanCount(bad));
    Ok(if bad > 0 { INCOMPLETE.into() } else { ExitCode::SUCCESS })
}
