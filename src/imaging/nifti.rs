//! NIfTI-1 and NIfTI-2 (nifti.nimh.nih.gov), single files, plain or gzip.
//!
//! Own code, as the crate of that name knows NIfTI-1 alone and believes what a header says of its
//! size. NIfTI counts to the right and to the front where this program counts to the left and to
//! the back.

use std::io::{self, Read, Write};

use flate2::{Compression, write::GzEncoder};

use super::bytes::exactly;
use super::geometry::{Geometry, GeometryError, Lps};
use super::grid::{Mask, Volume};
use super::sample::{Sample, darken_no_numbers};

/// Why a file is no volume.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say what each is")]
pub enum NiftiError {
    #[error("it cannot be read as a whole")]
    Io(#[from] io::Error),
    #[error("it does not begin as NIfTI-1 or NIfTI-2 does")]
    NoNifti,
    #[error("its voxels lie in another file (.hdr and .img); convert it to a single .nii")]
    TwoFiles,
    #[error("its voxels are of type {0}; numbers of 8 to 32 bits, and double precision, are read")]
    OtherType(i16),
    #[error("it has {0} volumes or {0} values a voxel, where one is wanted")]
    Several(u64),
    #[error("it says neither by sform nor by qform where its voxels are")]
    Nowhere,
    #[error(transparent)]
    Geometry(#[from] GeometryError),
}

/// The two layouts of a header: where each field is.
#[derive(Debug, Clone, Copy)]
struct Layout {
    size: usize,
    is_wide: bool,
    dim: usize,
    kind: usize,
    pixdim: usize,
    offset: usize,
    slope: usize,
    forms: usize,
    quaternion: usize,
    rows: usize,
    units: usize,
}

const FIRST: Layout = Layout {
    size: 348,
    is_wide: false,
    dim: 40,
    kind: 70,
    pixdim: 76,
    offset: 108,
    slope: 112,
    forms: 252,
    quaternion: 256,
    rows: 280,
    units: 123,
};

const SECOND: Layout = Layout {
    size: 540,
    is_wide: true,
    dim: 16,
    kind: 12,
    pixdim: 104,
    offset: 168,
    slope: 176,
    forms: 344,
    quaternion: 352,
    rows: 400,
    units: 500,
};

/// A header's bytes, and how to read numbers in them.
struct Header {
    layout: Layout,
    bytes: Vec<u8>,
    big_endian: bool,
}

impl Header {
    fn read(reader: &mut impl Read) -> Result<Self, NiftiError> {
        let start = exactly(reader, 4)?;
        let size = [start[0], start[1], start[2], start[3]];
        let (little, big) = (u32::from_le_bytes(size), u32::from_be_bytes(size));
        let known = [FIRST, SECOND].into_iter().find_map(|layout| {
            let own = layout.size as u32;
            (little == own || big == own).then_some((layout, big == own))
        });
        let (layout, big_endian) = known.ok_or(NiftiError::NoNifti)?;
        let mut bytes = start;
        bytes.extend(exactly(reader, layout.size - 4)?);
        let magic = if layout.is_wide { &bytes[4..8] } else { &bytes[344..348] };
        match magic {
            b"n+1\0" | b"n+2\0" => Ok(Self { layout, bytes, big_endian }),
            b"ni1\0" | b"ni2\0" => Err(NiftiError::TwoFiles),
            _ => Err(NiftiError::NoNifti),
        }
    }

    fn short(&self, at: usize) -> i16 {
        let bytes = [self.bytes[at], self.bytes[at + 1]];
        if self.big_endian { i16::from_be_bytes(bytes) } else { i16::from_le_bytes(bytes) }
    }

    /// A whole number of the width that this layout has.
    fn whole(&self, at: usize, number: usize) -> i64 {
        if !self.layout.is_wide {
            return i64::from(self.short(at + number * 2));
        }
        let at = at + number * 8;
        let bytes = self.bytes[at..at + 8].try_into().expect("eight bytes");
        if self.big_endian { i64::from_be_bytes(bytes) } else { i64::from_le_bytes(bytes) }
    }

    /// The `number`th real number after `at`.
    fn real(&self, at: usize, number: usize) -> f64 {
        if self.layout.is_wide {
            let at = at + number * 8;
            let bytes = self.bytes[at..at + 8].try_into().expect("eight bytes");
            return if self.big_endian {
                f64::from_be_bytes(bytes)
            } else {
                f64::from_le_bytes(bytes)
            };
        }
        let at = at + number * 4;
        let bytes = self.bytes[at..at + 4].try_into().expect("four bytes");
        f64::from(if self.big_endian {
            f32::from_be_bytes(bytes)
        } else {
            f32::from_le_bytes(bytes)
        })
    }

    /// A code, which is 16 bits in the first layout and 32 in the second.
    fn code(&self, number: usize) -> i32 {
        if !self.layout.is_wide {
            return i32::from(self.short(self.layout.forms + number * 2));
        }
        let at = self.layout.forms + number * 4;
        let bytes = self.bytes[at..at + 4].try_into().expect("four bytes");
        if self.big_endian { i32::from_be_bytes(bytes) } else { i32::from_le_bytes(bytes) }
    }

    fn sample(&self) -> Result<Sample, NiftiError> {
        Ok(match self.short(self.layout.kind) {
            2 => Sample::U8,
            4 => Sample::I16,
            8 => Sample::I32,
            16 => Sample::F32,
            64 => Sample::F64,
            256 => Sample::I8,
            512 => Sample::U16,
            768 => Sample::U32,
            other => return Err(NiftiError::OtherType(other)),
        })
    }

    fn size(&self) -> Result<[usize; 3], NiftiError> {
        let count = self.whole(self.layout.dim, 0).clamp(0, 7) as usize;
        let side = |axis: usize| match axis <= count {
            true => self.whole(self.layout.dim, axis).max(0) as u64,
            false => 1,
        };
        let several = (4..=count).map(side).fold(1u64, u64::saturating_mul);
        match several {
            0 | 1 => Ok([1, 2, 3].map(|axis| side(axis) as usize)),
            _ => Err(NiftiError::Several(several)),
        }
    }

    /// Origin and steps, from sform where it is there, else from qform.
    fn placed(&self) -> Result<(Lps, [Lps; 3]), NiftiError> {
        let rows = match (self.code(1), self.code(0)) {
            (1.., _) => self.sform(),
            (_, 1..) => self.qform(),
            _ => return Err(NiftiError::Nowhere),
        };
        let scale = match self.bytes[self.layout.units] & 7 {
            1 => 1000.0,
            3 => 0.001,
            _ => 1.0,
        };
        let to_lps = |column: usize| {
            [-rows[0][column] * scale, -rows[1][column] * scale, rows[2][column] * scale]
        };
        Ok((to_lps(3), [0, 1, 2].map(to_lps)))
    }

    fn sform(&self) -> [[f64; 4]; 3] {
        [0, 1, 2]
            .map(|row| [0, 1, 2, 3].map(|column| self.real(self.layout.rows, row * 4 + column)))
    }

    /// The rotation of a unit quaternion, whose real part is left out in files.
    fn qform(&self) -> [[f64; 4]; 3] {
        let [b, c, d, x, y, z] = [0, 1, 2, 3, 4, 5].map(|n| self.real(self.layout.quaternion, n));
        let a = (1.0 - b * b - c * c - d * d).max(0.0).sqrt();
        let pixdim = |n| self.real(self.layout.pixdim, n);
        let [di, dj] = [pixdim(1), pixdim(2)];
        let dk = if pixdim(0) < 0.0 { -pixdim(3) } else { pixdim(3) };
        [
            [
                (a * a + b * b - c * c - d * d) * di,
                2.0 * (b * c - a * d) * dj,
                2.0 * (b * d + a * c) * dk,
                x,
            ],
            [
                2.0 * (b * c + a * d) * di,
                (a * a + c * c - b * b - d * d) * dj,
                2.0 * (c * d - a * b) * dk,
                y,
            ],
            [
                2.0 * (b * d - a * c) * di,
                2.0 * (c * d + a * b) * dj,
                (a * a + d * d - b * b - c * c) * dk,
                z,
            ],
        ]
    }

    /// What stored values are multiplied with, and what is added then.
    fn scale(&self) -> (f32, f32) {
        let slope = self.real(self.layout.slope, 0) as f32;
        let inter = self.real(self.layout.slope, 1) as f32;
        match slope != 0.0 && slope.is_finite() && inter.is_finite() {
            true => (slope, inter),
            false => (1.0, 0.0),
        }
    }

    fn offset(&self) -> usize {
        let offset = match self.layout.is_wide {
            true => self.whole(self.layout.offset, 0).max(0) as usize,
            false => self.real(self.layout.offset, 0).max(0.0) as usize,
        };
        offset.max(self.layout.size + 4)
    }
}

/// Reads a volume from decompressed bytes.
///
/// # Errors
/// Where they hold no single volume with a place in the patient.
pub fn read(reader: &mut impl Read) -> Result<Volume, NiftiError> {
    let header = Header::read(reader)?;
    let sample = header.sample()?;
    let (origin, steps) = header.placed()?;
    let geometry = Geometry::new(header.size()?, origin, steps)?;
    let between = (header.offset() - header.layout.size) as u64;
    io::copy(&mut reader.take(between), &mut io::sink())?;
    let mut values = sample.read(reader, geometry.count(), header.big_endian)?;
    let (slope, inter) = header.scale();
    if (slope, inter) != (1.0, 0.0) {
        values.iter_mut().for_each(|value| *value = *value * slope + inter);
    }
    darken_no_numbers(&mut values);
    Ok(Volume { geometry, values })
}

/// Writes a mask, or an image of as many grays, as compressed NIfTI-1 of bytes.
///
/// # Errors
/// Where it cannot be written, or has more voxels along an axis than NIfTI-1 can count.
pub fn write(mask: &Mask, writer: impl Write) -> io::Result<()> {
    let mut header = [0u8; FIRST.size + 4];
    let mut put = |at: usize, bytes: &[u8]| header[at..at + bytes.len()].copy_from_slice(bytes);
    let Geometry { size, origin, steps } = mask.geometry;
    put(0, &(FIRST.size as u32).to_le_bytes());
    let too_long = |_| io::Error::new(io::ErrorKind::InvalidInput, "too large for NIfTI-1");
    put(FIRST.dim, &3i16.to_le_bytes());
    for (axis, side) in size.into_iter().chain([1]).enumerate() {
        put(FIRST.dim + 2 + 2 * axis, &i16::try_from(side).map_err(too_long)?.to_le_bytes());
    }
    put(FIRST.kind, &2i16.to_le_bytes());
    put(FIRST.kind + 2, &8i16.to_le_bytes());
    put(FIRST.pixdim, &1f32.to_le_bytes());
    for (axis, side) in mask.geometry.spacing().into_iter().enumerate() {
        put(FIRST.pixdim + 4 + 4 * axis, &(side as f32).to_le_bytes());
    }
    put(FIRST.offset, &((FIRST.size + 4) as f32).to_le_bytes());
    put(FIRST.slope, &1f32.to_le_bytes());
    put(FIRST.units, &[2]);
    // The place in the scanner's own coordinates.
    put(FIRST.forms + 2, &1i16.to_le_bytes());
    for (row, sign) in [(0, -1.0), (1, -1.0), (2, 1.0)] {
        let columns = [steps[0][row], steps[1][row], steps[2][row], origin[row]];
        for (column, value) in columns.into_iter().enumerate() {
            let at = FIRST.rows + (row * 4 + column) * 4;
            put(at, &((sign * value) as f32).to_le_bytes());
        }
    }
    put(344, b"n+1\0");
    let mut writer = GzEncoder::new(writer, Compression::default());
    writer.write_all(&header)?;
    writer.write_all(&mask.values)?;
    writer.finish()?.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mask() -> Mask {
        let steps = [[0.0, 0.5, -0.1], [0.0, -0.1, -0.5], [-4.0, 0.0, 0.0]];
        let geometry = Geometry::new([3, 4, 2], [10.0, -20.0, 300.0], steps).unwrap();
        Mask { geometry, values: (0..24).collect() }
    }

    fn written() -> Vec<u8> {
        let mut file = Vec::new();
        write(&mask(), &mut file).unwrap();
        let mut bytes = Vec::new();
        flate2::read::GzDecoder::new(&file[..]).read_to_end(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn what_is_written_is_read_where_it_was() {
        let volume = read(&mut &written()[..]).unwrap();
        let (is, was) = (volume.geometry, mask().geometry);
        assert_eq!(is.size, was.size);
        for voxel in [[0.0, 0.0, 0.0], [2.0, 3.0, 1.0]] {
            let (a, b) = (is.to_patient(voxel), was.to_patient(voxel));
            assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-4), "{a:?} {b:?}");
        }
        assert_eq!(volume.values, (0..24).map(|v| v as f32).collect::<Vec<_>>());
    }

    #[test]
    fn a_cut_or_foreign_file_is_refused_by_reason() {
        let bytes = written();
        for end in [0, 3, 200, 352, bytes.len() - 1] {
            let cut = read(&mut &bytes[..end]);
            assert!(matches!(cut, Err(NiftiError::Io(_))), "{end}");
        }
        let refused = |at: usize, with: &[u8]| {
            let mut bytes = bytes.clone();
            bytes[at..at + with.len()].copy_from_slice(with);
            read(&mut &bytes[..]).unwrap_err()
        };
        assert!(matches!(refused(0, &[9]), NiftiError::NoNifti));
        assert!(matches!(refused(344, b"ni1"), NiftiError::TwoFiles));
        assert!(matches!(refused(70, &[128, 0]), NiftiError::OtherType(128)));
        assert!(matches!(refused(254, &[0, 0]), NiftiError::Nowhere));
        assert!(matches!(refused(42, &[0, 0]), NiftiError::Geometry(_)));
        let huge = refused(42, &[0xff, 0x7f, 0xff, 0x7f]);
        assert!(matches!(huge, NiftiError::Geometry(GeometryError::TooLarge { .. })), "{huge}");
    }

    #[test]
    fn a_header_of_the_second_version_is_read_too() {
        let mut bytes = vec![0u8; 544];
        let mut put = |at: usize, with: &[u8]| bytes[at..at + with.len()].copy_from_slice(with);
        put(0, &540u32.to_be_bytes());
        put(4, b"n+2\0\r\n\x1a\n");
        put(12, &4i16.to_be_bytes());
        for (n, side) in [3i64, 2, 1, 1].into_iter().enumerate() {
            put(16 + 8 * n, &side.to_be_bytes());
        }
        put(168, &544i64.to_be_bytes());
        put(344, &1i32.to_be_bytes());
        for (n, side) in [1f64, 2.0, 3.0, 4.0].into_iter().enumerate() {
            put(104 + 8 * n, &side.to_be_bytes());
        }
        put(352 + 24, &7f64.to_be_bytes());
        bytes.extend([0, 5, 0xff, 0xfe]);
        let volume = read(&mut &bytes[..]).unwrap();
        assert_eq!(volume.geometry.size, [2, 1, 1]);
        assert_eq!(volume.geometry.origin, [-7.0, 0.0, 0.0]);
        assert_eq!(volume.geometry.spacing(), [2.0, 3.0, 4.0]);
        assert_eq!(volume.values, [5.0, -2.0]);
    }
}
