//! `simulate phantom`: a spine of simple shapes as a study.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};

use crate::imaging::{Geometry, Grid, nifti};
use crate::simulate::Phantom;

const EXAMPLES: &str = "\
The spine has seven vertebrae, T11 to L5, above a sacrum, and a narrow canal at L3-L4 and L4-L5.
It is of blocks and ellipses, to try programs with; no network should be judged by it.

Examples:
  deepspine simulate phantom -o phantom.nii.gz
  deepspine segment phantom.nii.gz
  deepspine simulate phantom --apart 4.4 --seed 7 -o phantom.nii.gz --mask truth.nii.gz";

/// Invent a sagittal study of a spine of simple shapes.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct PhantomArgs {
    /// Where the study goes, as NIfTI.
    #[arg(short, long, value_name = "FILE.nii.gz")]
    output: PathBuf,

    /// Where its tissues go, as NIfTI: 1 vertebra, 2 disc, 3 canal.
    #[arg(long, value_name = "FILE.nii.gz")]
    mask: Option<PathBuf>,

    /// Decides the noise, and how the spine is bent and tilted.
    #[arg(long, default_value_t = 0)]
    seed: u64,

    /// The width of its pixels in mm.
    #[arg(long, default_value_t = 0.625, value_name = "MM", value_parser = width)]
    pixel: f64,

    /// How far slices are apart in mm.
    #[arg(long, default_value_t = 3.6, value_name = "MM", value_parser = width)]
    apart: f64,
}

/// Pixels and slices that make a study of usual size.
fn width(argument: &str) -> Result<f64> {
    let width: f64 = argument.parse()?;
    ensure!((0.2..=10.0).contains(&width), "write mm from 0.2 to 10");
    Ok(width)
}

pub(super) fn run(args: &PhantomArgs) -> Result<ExitCode> {
    for file in [Some(&args.output), args.mask.as_ref()].into_iter().flatten() {
        // Under another name no program would read it.
        let is_named = file.to_string_lossy().to_lowercase().ends_with(".nii.gz");
        ensure!(is_named, "`{}`: NIfTI is written; name the file .nii.gz", file.display());
    }
    let mut random = fastrand::Rng::with_seed(args.seed);
    let usual = Phantom::default();
    let phantom = Phantom {
        bend: 12.0 * (random.f64() - 0.5),
        tilt: usual.tilt.map(|tilt| tilt * (0.8 + 0.4 * random.f64())),
        ..usual
    };
    let geometry = grid(args.pixel, args.apart)?;
    let placed = phantom.placed(&geometry);
    write(&args.output, &placed.image(geometry, args.seed))?;
    if let Some(mask) = &args.mask {
        write(mask, &placed.mask(geometry))?;
    }
    println!("{}", args.output.display());
    Ok(ExitCode::SUCCESS)
}

/// Sagittal slices as scanners make them, from right to left.
fn grid(pixel: f64, apart: f64) -> Result<Geometry> {
    const SIZE: [f64; 3] = [230.0, 290.0, 80.0];
    let count = |length: f64, step: f64| (length / step).round().max(1.0) as usize;
    let size = [count(SIZE[0], pixel), count(SIZE[1], pixel), count(SIZE[2], apart)];
    let steps = [[0.0, pixel, 0.0], [0.0, 0.0, -pixel], [apart, 0.0, 0.0]];
    let origin = [-SIZE[2] / 2.0, -SIZE[0] / 2.0, SIZE[1] / 2.0];
    Ok(Geometry::new(size, origin, steps)?)
}

fn write(path: &Path, grid: &Grid<u8>) -> Result<()> {
    let unwritable = || format!("`{}` cannot be written", path.display());
    let file = File::create(path).with_context(unwritable)?;
    nifti::write(grid, file).with_context(unwritable)
}
