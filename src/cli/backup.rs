//! `backup` and `restore`: the archive as one file, and back, while others use it.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail, ensure};
use indicatif::{DecimalBytes, ProgressBar, ProgressStyle};

use super::data::DataArgs;

/// Copy the archive to one file, while others go on using it.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  deepspine backup spine-2026-11-26.db
  deepspine restore spine-2026-11-26.db

The file holds everything but the index, which is made anew, and is readable by its owner only.")]
pub(super) struct BackupArgs {
    /// The file to write. It appears when it is complete.
    #[arg(value_name = "OUT.db")]
    file: PathBuf,

    /// Replace a file of that name.
    #[arg(long)]
    force: bool,

    #[command(flatten)]
    data: DataArgs,
}

/// Put a backup in the place of the archive, while others go on using it.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  deepspine restore spine-2026-11-26.db
  deepspine restore spine-2026-11-26.db --data /srv/new   # where there was no archive

What the archive held before is kept in its folder as before-restore-N.db.")]
pub(super) struct RestoreArgs {
    /// The file that `backup` wrote.
    #[arg(value_name = "FILE")]
    file: PathBuf,

    #[command(flatten)]
    data: DataArgs,
}

pub(super) fn back_up(args: &BackupArgs) -> Result<ExitCode> {
    let name = args.file.display();
    ensure!(!args.file.is_dir(), "`{name}` is a folder; name a file in it");
    let folder = args.file.parent().filter(|folder| *folder != Path::new(""));
    if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
        bail!("`{name}` cannot be written: there is no folder `{}`; make it", folder.display());
    }
    ensure!(
        args.force || !args.file.exists(),
        "`{name}` is there already; give another name, or --force to replace it"
    );
    let archive = args.data.open()?;
    let bar = pages();
    archive
        .store()
        .back_up(&args.file, progress(&bar))
        .with_context(|| format!("`{name}` cannot be written"))?;
    bar.finish_and_clear();
    let bytes = args.file.metadata().map_or(0, |file| file.len());
    eprintln!("`{name}`: {}", DecimalBytes(bytes));
    Ok(ExitCode::SUCCESS)
}

pub(super) fn restore(args: &RestoreArgs) -> Result<ExitCode> {
    let name = args.file.display();
    ensure!(args.file.is_file(), "`{name}` is no file; name one that `backup` wrote");
    let mut archive = args.data.open_or_create()?;
    let bar = pages();
    if archive.store().report_count()? > 0 {
        let before = before_restore(args.data.folder());
        archive
            .store()
            .back_up(&before, progress(&bar))
            .with_context(|| format!("`{}` cannot be written", before.display()))?;
    }
    archive.restore(&args.file, progress(&bar))?;
    bar.set_message("indexing");
    archive.catch_up(|_| ())?;
    bar.finish_and_clear();
    eprintln!("{} reports restored from `{name}`", archive.store().report_count()?);
    Ok(ExitCode::SUCCESS)
}

/// Where a restored archive's former content is kept: in a file that is not there yet, which the
/// backup may be one of.
fn before_restore(folder: &Path) -> PathBuf {
    let mut numbered = (1..).map(|n| folder.join(format!("before-restore-{n}.db")));
    numbered.find(|path| !path.exists()).expect("some number is free")
}

fn pages() -> ProgressBar {
    let template = "{bar:30} {percent:>3} %, {eta} left {msg}";
    ProgressBar::new(0)
        .with_style(ProgressStyle::with_template(template).expect("the template is valid"))
}

fn progress(bar: &ProgressBar) -> impl FnMut(u64, u64) {
    |done, total| {
        bar.set_length(total);
        bar.set_position(done);
    }
}
