//! MetaImage (.mha, and .mhd with its voxels beside it), as ITK writes it and SPIDER ships.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use flate2::read::ZlibDecoder;

use super::geometry::{Geometry, GeometryError, Lps};
use super::grid::Volume;
use super::sample::{Sample, darken_no_numbers};

/// Why a file is no volume.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say what each is")]
pub enum MetaImageError {
    #[error("it cannot be read as a whole")]
    Io(#[from] io::Error),
    #[error("its header has no `{0}`")]
    Missing(&'static str),
    #[error("its header has `{key} = {value}`, which is not what is wanted there")]
    Malformed { key: &'static str, value: String },
    #[error("its voxels lie in `{0}`, where it should be in the same file or one beside it")]
    Elsewhere(String),
    #[error(
        "its voxels lie in a file beside it, which is not looked for in an archive; unpack that"
    )]
    Packed,
    #[error(transparent)]
    Geometry(#[from] GeometryError),
}

/// No header is longer.
const LONGEST_HEADER: u64 = 64 << 10;

/// Reads a volume.
///
/// # Errors
/// Where the file holds no single volume with a place in the patient.
pub fn read(path: &Path) -> Result<Volume, MetaImageError> {
    let mut file = BufReader::new(File::open(path)?);
    let header = Header::read(&mut file)?;
    match header.text("ElementDataFile")? {
        "LOCAL" => header.volume(&mut file),
        // A header must not lead anywhere but to a file beside it.
        beside if beside.contains(['/', '\\']) || beside == ".." => {
            Err(MetaImageError::Elsewhere(beside.to_owned()))
        }
        beside => header.volume(&mut BufReader::new(File::open(path.with_file_name(beside))?)),
    }
}

/// Reads a volume from what an `.mha` file holds, voxels and all.
///
/// # Errors
/// Where the bytes are no such file, or lead to another one.
pub fn read_from(reader: &mut impl BufRead) -> Result<Volume, MetaImageError> {
    let header = Header::read(reader)?;
    match header.text("ElementDataFile")? {
        "LOCAL" => header.volume(reader),
        elsewhere => Err(MetaImageError::Elsewhere(elsewhere.to_owned())),
    }
}

/// `Key = Value`, a line each; the line that says where the voxels are is the last.
struct Header(HashMap<String, String>);

impl Header {
    fn read(reader: &mut impl BufRead) -> Result<Self, MetaImageError> {
        let mut lines = HashMap::new();
        let mut left = LONGEST_HEADER;
        loop {
            let mut line = Vec::new();
            let read = reader.take(left).read_until(b'\n', &mut line)? as u64;
            left -= read;
            let line = String::from_utf8_lossy(&line);
            let Some((key, value)) = line.split_once('=') else {
                return Err(MetaImageError::Missing("ElementDataFile"));
            };
            let (key, value) = (key.trim().to_owned(), value.trim().to_owned());
            let last = key == "ElementDataFile";
            lines.insert(key, value);
            if last {
                return Ok(Self(lines));
            }
        }
    }

    fn text(&self, key: &'static str) -> Result<&str, MetaImageError> {
        self.0.get(key).map(String::as_str).ok_or(MetaImageError::Missing(key))
    }

    fn malformed(&self, key: &'static str) -> MetaImageError {
        let value = self.0.get(key).cloned().unwrap_or_default();
        MetaImageError::Malformed { key, value }
    }

    /// The numbers of a line, of which there must be so many.
    fn numbers<const N: usize>(&self, key: &'static str) -> Result<[f64; N], MetaImageError> {
        let numbers: Option<Vec<f64>> =
            self.text(key)?.split_whitespace().map(|number| number.parse().ok()).collect();
        numbers.and_then(|n| n.try_into().ok()).ok_or_else(|| self.malformed(key))
    }

    fn is_true(&self, key: &str) -> bool {
        self.0.get(key).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    fn geometry(&self) -> Result<Geometry, MetaImageError> {
        if self.text("NDims")? != "3" {
            return Err(self.malformed("NDims"));
        }
        let size = self.numbers::<3>("DimSize")?;
        if size.iter().any(|side| side.fract() != 0.0 || *side < 0.0) {
            return Err(self.malformed("DimSize"));
        }
        let spacing = self.numbers::<3>("ElementSpacing")?;
        let origin: Lps = ["Offset", "Position", "Origin"]
            .into_iter()
            .find(|key| self.0.contains_key(*key))
            .map_or(Err(MetaImageError::Missing("Offset")), |key| self.numbers::<3>(key))?;
        let turned = ["TransformMatrix", "Rotation", "Orientation"]
            .into_iter()
            .find(|key| self.0.contains_key(*key))
            .map_or(Err(MetaImageError::Missing("TransformMatrix")), |key| {
                self.numbers::<9>(key)
            })?;
        // The direction of each axis is a run of three.
        let step = |axis: usize| [0, 1, 2].map(|part| turned[axis * 3 + part] * spacing[axis]);
        Ok(Geometry::new(size.map(|side| side as usize), origin, [step(0), step(1), step(2)])?)
    }

    fn sample(&self) -> Result<Sample, MetaImageError> {
        Ok(match self.text("ElementType")? {
            "MET_UCHAR" => Sample::U8,
            "MET_CHAR" => Sample::I8,
            "MET_USHORT" => Sample::U16,
            "MET_SHORT" => Sample::I16,
            "MET_UINT" => Sample::U32,
            "MET_INT" => Sample::I32,
            "MET_FLOAT" => Sample::F32,
            "MET_DOUBLE" => Sample::F64,
            _ => return Err(self.malformed("ElementType")),
        })
    }

    fn volume(&self, reader: &mut impl Read) -> Result<Volume, MetaImageError> {
        let (geometry, sample) = (self.geometry()?, self.sample()?);
        if self.0.get("ElementNumberOfChannels").is_some_and(|channels| channels != "1") {
            return Err(self.malformed("ElementNumberOfChannels"));
        }
        // Voxels as text, or after a header of their own, would be read as other voxels.
        if self.0.get("BinaryData").is_some_and(|binary| !binary.eq_ignore_ascii_case("true")) {
            return Err(self.malformed("BinaryData"));
        }
        if self.0.get("HeaderSize").is_some_and(|size| size != "0") {
            return Err(self.malformed("HeaderSize"));
        }
        let big_endian =
            self.is_true("BinaryDataByteOrderMSB") || self.is_true("ElementByteOrderMSB");
        let count = geometry.count();
        let mut values = match self.is_true("CompressedData") {
            true => sample.read(&mut ZlibDecoder::new(reader), count, big_endian)?,
            false => sample.read(reader, count, big_endian)?,
        };
        darken_no_numbers(&mut values);
        Ok(Volume { geometry, values })
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compression, write::ZlibEncoder};

    use super::*;

    const HEADER: &str = "ObjectType = Image\nNDims = 3\nBinaryData = True\n\
        BinaryDataByteOrderMSB = False\nCompressedData = False\n\
        TransformMatrix = 0 1 0 0 0 -1 1 0 0\nOffset = 1 2 3\nElementSpacing = 0.5 0.6 4\n\
        DimSize = 2 1 1\nElementType = MET_SHORT\nElementDataFile = LOCAL\n";

    fn file(header: &str, voxels: &[u8]) -> Vec<u8> {
        [header.as_bytes(), voxels].concat()
    }

    #[test]
    fn voxels_stand_where_the_header_says() {
        let volume = read_from(&mut &file(HEADER, &[5, 0, 0xfe, 0xff])[..]).unwrap();
        assert_eq!(volume.values, [5.0, -2.0]);
        assert_eq!(volume.geometry.origin, [1.0, 2.0, 3.0]);
        let steps = [[0.0, 0.5, 0.0], [0.0, 0.0, -0.6], [4.0, 0.0, 0.0]];
        assert_eq!(volume.geometry.steps, steps);
        let mut packed = ZlibEncoder::new(Vec::new(), Compression::fast());
        packed.write_all(&[5, 0, 0xfe, 0xff]).unwrap();
        let header = HEADER.replace("CompressedData = False", "CompressedData = True");
        assert_eq!(read_from(&mut &file(&header, &packed.finish().unwrap())[..]).unwrap(), volume);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let refused = |from: &str, to: &str| {
            read_from(&mut &file(&HEADER.replace(from, to), &[5, 0, 1, 0])[..])
                .unwrap_err()
                .to_string()
        };
        assert!(refused("NDims = 3", "NDims = 4").contains("`NDims = 4`"));
        assert!(refused("Offset = 1 2 3\n", "").contains("no `Offset`"));
        assert!(refused("DimSize = 2 1 1", "DimSize = 2 1").contains("DimSize"));
        assert!(refused("MET_SHORT", "MET_LONG_LONG").contains("MET_LONG_LONG"));
        assert!(
            refused("BinaryData = True", "BinaryData = False").contains("`BinaryData = False`")
        );
        assert!(refused("Offset", "HeaderSize = 128\nOffset").contains("`HeaderSize = 128`"));
        assert!(refused("= LOCAL", "= ../secret.raw").contains("../secret.raw"));
        assert!(refused("DimSize = 2 1 1", "DimSize = 2 9 9").contains("as a whole"));
        assert!(read_from(&mut &b"no header at all"[..]).is_err());
    }
}
