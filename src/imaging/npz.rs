//! Segments as NPZ: arrays of NumPy in a zip.
//!
//! For each crop there is `<kind>`, float16 by slice, row and column, and `<kind>_affine`, float64
//! 4×4, which leads from (column, row, slice, 1) to the place in the patient in mm. Own code, as the
//! crate that knows NumPy's arrays brings a grammar to read the one line that says what an array is.

use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, Write};
use std::path::Path;

use half::f16;
use rayon::prelude::*;
use zip::result::ZipError;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use super::crop::{Crop, SHAPES, Segment};
use super::{Geometry, GeometryError, Kind};

/// Why a file is no segment.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say what each is")]
pub enum NpzError {
    #[error("it cannot be read")]
    Io(#[from] io::Error),
    #[error("it is no zip archive, or a damaged one")]
    Zip(#[from] ZipError),
    #[error("`{array}` in it is no array of NumPy")]
    NoArray { array: String },
    #[error("`{array}` in it is {found}; {wanted} is needed")]
    Other { array: String, found: String, wanted: &'static str },
    #[error("`{array}` in it ends early")]
    Short { array: String },
    #[error("`{kind}_affine` in it is no place in a patient")]
    Nowhere { kind: &'static str, source: GeometryError },
}

/// Writes a segment.
///
/// # Errors
/// Those of `out`.
pub fn write(segment: &Segment, out: impl Write + Seek) -> io::Result<()> {
    let mut zip = ZipWriter::new(out);
    // Half of it is noise, which a better packing would be slower at and no smaller.
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(1));
    for (kind, crop) in &segment.crops {
        let [columns, rows, slices] = crop.geometry.size;
        let values: Vec<u8> = crop.values.iter().flat_map(|value| value.to_le_bytes()).collect();
        zip.start_file(format!("{}.npy", kind.name()), options)?;
        zip.write_all(&header("<f2", &format!("({slices}, {rows}, {columns})")))?;
        zip.write_all(&values)?;
        let affine: Vec<u8> =
            affine(&crop.geometry).into_iter().flatten().flat_map(f64::to_le_bytes).collect();
        zip.start_file(format!("{}_affine.npy", kind.name()), options)?;
        zip.write_all(&header("<f8", "(4, 4)"))?;
        zip.write_all(&affine)?;
    }
    zip.finish()?;
    Ok(())
}

/// The file of a segment within its folder, by the ordinal of its disc, 1 being the lowest.
pub fn file_name(ordinal: usize) -> String {
    format!("disc-{ordinal}.npz")
}

/// Writes segments, from the lowest disc up, into a folder, a file each.
///
/// # Errors
/// Where they cannot be written.
pub fn write_all(folder: &Path, segments: &[&Segment]) -> io::Result<()> {
    segments.par_iter().enumerate().try_for_each(|(place, segment)| {
        let mut out = BufWriter::new(File::create(folder.join(file_name(place + 1)))?);
        write(segment, &mut out)?;
        out.into_inner()?.sync_all()
    })
}

/// Reads a segment. What else is in the file is passed over.
///
/// # Errors
/// Where it is no such file, or a damaged one.
pub fn read(file: impl Read + Seek) -> Result<Segment, NpzError> {
    let mut zip = ZipArchive::new(file)?;
    let mut segment = Segment::default();
    for shape in &SHAPES {
        if let Some(crop) = crop(&mut zip, shape.kind)? {
            segment.crops.insert(shape.kind, crop);
        }
    }
    Ok(segment)
}

/// Reads the crop of one kind of series alone; none where the segment has none.
///
/// # Errors
/// Where it is no such file, or a damaged one.
pub fn read_crop(file: impl Read + Seek, kind: Kind) -> Result<Option<Crop>, NpzError> {
    crop(&mut ZipArchive::new(file)?, kind)
}

/// The kinds of series that a segment has crops of.
///
/// # Errors
/// Where it is no such file, or a damaged one.
pub fn kinds(file: impl Read + Seek) -> Result<Vec<Kind>, NpzError> {
    let zip = ZipArchive::new(file)?;
    let has = |kind: &Kind| zip.index_for_name(&format!("{}.npy", kind.name())).is_some();
    Ok(SHAPES.iter().map(|shape| shape.kind).filter(has).collect())
}

/// From (column, row, slice, 1) to mm.
fn affine(geometry: &Geometry) -> [[f64; 4]; 4] {
    let mut rows = [[0.0, 0.0, 0.0, 1.0]; 4];
    for (axis, row) in rows.iter_mut().take(3).enumerate() {
        let [a, b, c] = geometry.steps.map(|step| step[axis]);
        *row = [a, b, c, geometry.origin[axis]];
    }
    rows
}

/// What an array begins with: <https://numpy.org/doc/stable/reference/generated/numpy.lib.format>.
const MAGIC: [u8; 8] = *b"\x93NUMPY\x01\x00";

fn header(kind: &str, shape: &str) -> Vec<u8> {
    let mut line = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}");
    // Numbers begin at a multiple of 64.
    while !(MAGIC.len() + 2 + line.len() + 1).is_multiple_of(64) {
        line.push(' ');
    }
    line.push('\n');
    let length = u16::try_from(line.len()).expect("it is a short line");
    [&MAGIC[..], &length.to_le_bytes(), line.as_bytes()].concat()
}

fn crop(zip: &mut ZipArchive<impl Read + Seek>, kind: Kind) -> Result<Option<Crop>, NpzError> {
    let name = kind.name();
    let Some((shape, values)) = array(zip, name, "<f2", "float16 of three dimensions")? else {
        return Ok(None);
    };
    let [slices, rows, columns] = shape;
    let wanted = "float64 of 4×4";
    let affine_name = format!("{name}_affine");
    let missing =
        || NpzError::Other { array: affine_name.clone(), found: "not there".to_owned(), wanted };
    let ([4, 4], affine) = array(zip, &affine_name, "<f8", wanted)?.ok_or_else(missing)? else {
        return Err(NpzError::NoArray { array: affine_name });
    };
    let affine: Vec<f64> = affine
        .chunks_exact(8)
        .map(|bytes| f64::from_le_bytes(bytes.try_into().expect("chunks have this length")))
        .collect();
    let column = |at: usize| [affine[at], affine[4 + at], affine[8 + at]];
    let steps = [column(0), column(1), column(2)];
    let geometry = Geometry::new([columns, rows, slices], column(3), steps)
        .map_err(|source| NpzError::Nowhere { kind: name, source })?;
    let values = values.chunks_exact(2).map(|pair| f16::from_le_bytes([pair[0], pair[1]]));
    Ok(Some(Crop { geometry, values: values.collect() }))
}

/// A shape, and the bytes of its numbers.
type Array<const DIMENSIONS: usize> = ([usize; DIMENSIONS], Vec<u8>);

/// The shape of an array of so many dimensions and the bytes of its numbers; none where there is no
/// array of this name.
fn array<const DIMENSIONS: usize>(
    zip: &mut ZipArchive<impl Read + Seek>,
    name: &str,
    kind: &str,
    wanted: &'static str,
) -> Result<Option<Array<DIMENSIONS>>, NpzError> {
    let mut file = match zip.by_name(&format!("{name}.npy")) {
        Ok(file) => file,
        Err(ZipError::FileNotFound) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let no_array = || NpzError::NoArray { array: name.to_owned() };
    let mut start = [0; MAGIC.len() + 2];
    file.read_exact(&mut start)?;
    if start[..MAGIC.len()] != MAGIC {
        return Err(no_array());
    }
    let mut line = vec![0; usize::from(u16::from_le_bytes([start[8], start[9]]))];
    file.read_exact(&mut line)?;
    let line = String::from_utf8_lossy(&line);
    let value =
        |key: &str| line.split_once(&format!("'{key}':")).map(|(_, rest)| rest.trim_start());
    let is_kind = value("descr").is_some_and(|rest| rest.starts_with(&format!("'{kind}'")));
    let is_by_rows = value("fortran_order").is_some_and(|rest| rest.starts_with("False"));
    let shape = value("shape").and_then(|rest| rest.strip_prefix('(')?.split_once(')'));
    let shape = shape.ok_or_else(no_array)?.0;
    let sides: Option<Vec<usize>> = shape
        .split(',')
        .map(str::trim)
        .filter(|side| !side.is_empty())
        .map(|side| side.parse().ok())
        .collect();
    let sides: Option<[usize; DIMENSIONS]> = sides.and_then(|sides| sides.try_into().ok());
    let Some(sides) = sides.filter(|_| is_kind && is_by_rows) else {
        let found = line.trim().to_owned();
        return Err(NpzError::Other { array: name.to_owned(), found, wanted });
    };
    let size = if kind == "<f2" { 2 } else { 8 };
    let length = sides.iter().try_fold(size, |all: usize, &side| all.checked_mul(side));
    let short = || NpzError::Short { array: name.to_owned() };
    let length = length.ok_or_else(short)?;
    let mut bytes = Vec::new();
    // The header is not believed: memory grows with the bytes that come.
    (&mut file).take(length as u64).read_to_end(&mut bytes)?;
    if bytes.len() < length {
        return Err(short());
    }
    Ok(Some((sides, bytes)))
}
