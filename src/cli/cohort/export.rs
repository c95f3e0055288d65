//! Cohorts as files for other programs.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use indicatif::{DecimalBytes, HumanCount, ProgressBar, ProgressStyle};
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

use crate::archive::Archive;
use crate::export::dataset::{DATASETS, Dataset};
use crate::export::{Deidentifier, Manifest, ManifestFile};
use crate::store::Action;

/// Write a cohort to a file, with a manifest beside it that says what it is.
#[derive(Debug, clap::Args)]
pub(super) struct ExportArgs {
    /// The cohort.
    name: String,

    /// The file; its extension tells the format.
    #[arg(short, long, value_name = "OUT")]
    output: PathBuf,

    /// The format, where the extension tells none.
    #[arg(long, value_parser = formats())]
    format: Option<&'static Dataset>,

    /// Leave out texts and dates of birth, replace ids by keyed hashes, and shift dates by patient.
    #[arg(long)]
    deidentify: bool,

    /// Leave out texts.
    #[arg(long)]
    no_text: bool,
}

fn formats() -> impl TypedValueParser<Value = &'static Dataset> {
    let values = DATASETS.iter().map(|format| PossibleValue::new(format.name).help(format.about));
    PossibleValuesParser::new(values)
        .try_map(|name| Dataset::named(&name).ok_or("the parser lets only names of formats pass"))
}

pub(super) fn run(mut archive: Archive, args: &ExportArgs) -> Result<()> {
    let format = match args.format {
        Some(format) => format,
        None => format_of(&args.output)?,
    };
    let cohort = archive.store().cohort(&args.name)?;
    let recipe = Archive::recipe(&cohort)?;
    let deidentifier = match args.deidentify {
        true => Some(Deidentifier::new(&archive.store().secret()?)),
        false => None,
    };
    let bar = bar(cohort.members);
    let part = part_beside(&args.output)?;
    let mut writer = format.create(Box::new(part.reopen()?))?;
    let mut rows = 0;
    for member in archive.store().members(&cohort)? {
        let mut record = archive.record(&member)?;
        if args.no_text {
            record.text = None;
        }
        if let Some(deidentifier) = &deidentifier {
            record = deidentifier.apply(record);
        }
        writer.write(&record).with_context(|| cannot_write(&args.output))?;
        rows += 1;
        bar.inc(1);
    }
    writer.finish().with_context(|| cannot_write(&args.output))?;
    let (bytes, sha256) = fingerprint(part.path())?;
    let name = args.output.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let file = ManifestFile { name, format: format.name, bytes, sha256, rows };
    let recipe = if args.deidentify { recipe.without_names() } else { recipe };
    let cohort_hash = if args.deidentify { None } else { Some(cohort.hash.clone()) };
    let manifest = Manifest::new(
        cohort.name.clone(),
        cohort.frozen_at.clone(),
        cohort_hash,
        recipe,
        args.deidentify,
        file,
    );
    let beside = manifest_path(&args.output);
    let mut manifest_part = part_beside(&beside)?;
    writeln!(manifest_part, "{}", manifest.to_json())?;
    complete(part, &args.output)?;
    complete(manifest_part, &beside)?;
    archive.store_mut().write(|writer| {
        let what = (args.output.display().to_string(), rows, args.deidentify);
        writer.audit(Action::Export, &cohort.name, &what)
    })?;
    bar.finish_and_clear();
    eprintln!(
        "`{}`: {} reports, {}; `{}` says what they are",
        args.output.display(),
        HumanCount(rows),
        DecimalBytes(bytes),
        beside.display()
    );
    Ok(())
}

fn format_of(path: &Path) -> Result<&'static Dataset> {
    let extension = path.extension().unwrap_or_default().to_string_lossy();
    Dataset::named(&extension).with_context(|| {
        let names = DATASETS.each_ref().map(|format| format.name).join(", ");
        format!("`{}`: the extension tells no format; add --format, one of {names}", path.display())
    })
}

fn bar(reports: u64) -> ProgressBar {
    let template = "{bar:30} {percent:>3} %, {pos} reports, {per_sec}, {eta} left";
    ProgressBar::new(reports)
        .with_style(ProgressStyle::with_template(template).expect("the template is valid"))
}

/// `cohort.csv.manifest.json`
fn manifest_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".manifest.json");
    name.into()
}

/// A file that takes its place once it is complete. It may hold patients' data, so only its owner
/// can read it, which stays so.
fn part_beside(path: &Path) -> Result<NamedTempFile> {
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    tempfile::Builder::new()
        .prefix(".deepspine-")
        .suffix(".part")
        .tempfile_in(folder)
        .with_context(|| cannot_write(path))
}

fn complete(part: NamedTempFile, path: &Path) -> Result<()> {
    part.as_file().sync_all()?;
    part.persist(path).map_err(|error| error.error).with_context(|| cannot_write(path))?;
    Ok(())
}

fn cannot_write(path: &Path) -> String {
    format!("`{}` cannot be written; check that its folder is there and not full", path.display())
}

/// Length and SHA-256 of a file.
fn fingerprint(path: &Path) -> Result<(u64, String)> {
    let mut file = BufReader::with_capacity(1 << 20, File::open(path)?);
    let (mut hash, mut bytes) = (Sha256::new(), 0);
    loop {
        let read = file.fill_buf()?;
        if read.is_empty() {
            break;
        }
        hash.update(read);
        let length = read.len();
        bytes += length as u64;
        file.consume(length);
    }
    Ok((bytes, hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()))
}
