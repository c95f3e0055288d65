//! Whether a DICOM file fits into its own bytes, before it is parsed: the parser believes what
//! elements say of their lengths, and calls itself for each sequence within a sequence. This walk
//! goes the parser's way through the file, and does neither.

use std::io::Read;

use dicom_core::dictionary::{DataDictionary, DataDictionaryEntry};
use dicom_core::{Tag, VR};
use dicom_dictionary_std::{StandardDataDictionary, tags, uids};
use flate2::read::DeflateDecoder;

use super::dicom::DicomError;

/// No image has so many sequences within each other.
const DEEPEST: usize = 16;
/// No image has so many elements, which take some hundred bytes each once they are parsed.
const MOST_ELEMENTS: usize = 1 << 22;
/// No image unpacks to more: 256 MB.
const LARGEST_UNPACKED: u64 = 1 << 28;

/// What sequences are made of, in every syntax without a VR.
const ITEM: Tag = Tag(0xFFFE, 0xE000);
const ITEM_END: Tag = Tag(0xFFFE, 0xE00D);
const SEQUENCE_END: Tag = Tag(0xFFFE, 0xE0DD);

/// The transfer syntax explicit VR big endian, which is retired.
const BIG_ENDIAN: &str = "1.2.840.10008.1.2.2";

/// Transfer syntaxes whose whole data set is packed.
const DEFLATED: [&str; 3] = [
    uids::DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN,
    uids::JPIP_REFERENCED_DEFLATE,
    uids::JPIPHTJ2K_REFERENCED_DEFLATE,
];

/// A file is DICOM or not by so many bytes.
pub(super) const BEGINS: u64 = 132;

/// Where the file meta group of a DICOM file begins, after a preamble or without one.
pub(super) fn start(file: &[u8]) -> Option<usize> {
    match (file.get(128..132), file.get(..4)) {
        (Some(b"DICM"), _) => Some(132),
        (_, Some(b"DICM")) => Some(4),
        _ => None,
    }
}

/// Refuses a file whose elements claim more than there is, or are nested deeper than in any image.
///
/// # Errors
/// Where that is so. What cannot be walked through is left to the parser, which ends there too.
pub(super) fn check(file: &[u8]) -> Result<(), DicomError> {
    let start = start(file).ok_or(DicomError::NoDicom)?;
    let mut walk = Walk { rest: &file[start..], is_explicit: true, is_big: false };
    let Some(syntax) = walk.meta()? else { return Ok(()) };
    if DEFLATED.contains(&syntax.as_str()) {
        let mut unpacked = Vec::new();
        let mut packed = DeflateDecoder::new(walk.rest).take(LARGEST_UNPACKED + 1);
        // What comes before a fault in the packing is parsed too.
        let _ = packed.read_to_end(&mut unpacked);
        if unpacked.len() as u64 > LARGEST_UNPACKED {
            return Err(DicomError::Unpacked);
        }
        return Walk { rest: &unpacked, ..walk }.data_set();
    }
    walk.is_explicit = syntax != uids::IMPLICIT_VR_LITTLE_ENDIAN;
    walk.is_big = syntax == BIG_ENDIAN;
    walk.data_set()
}

/// What is still to be walked through, and how it is written.
struct Walk<'a> {
    rest: &'a [u8],
    is_explicit: bool,
    is_big: bool,
}

/// How an element or an item begins.
struct Header {
    tag: Tag,
    vr: VR,
    length: u32,
}

/// What the walk is within.
#[derive(Clone, Copy)]
enum Within {
    /// A sequence, which has items.
    Items,
    /// An item, which has elements.
    Elements,
    /// Packed pixels.
    Fragments,
}

/// The length of what is ended by a delimiter.
const UNDEFINED: u32 = u32::MAX;

impl<'a> Walk<'a> {
    /// Goes through the file meta group, which tells the transfer syntax of what comes after it.
    fn meta(&mut self) -> Result<Option<String>, DicomError> {
        let first = self.header(false).map(|header| (header.tag, header.length));
        let (Some((tags::FILE_META_INFORMATION_GROUP_LENGTH, 4)), Some(length)) =
            (first, self.long())
        else {
            return Ok(None);
        };
        let left = self.rest.len().saturating_sub(length as usize);
        let mut syntax = None;
        while self.rest.len() > left {
            let Some(header) = self.header(false) else { return Ok(None) };
            let value = self.value(&header)?;
            if header.tag == tags::TRANSFER_SYNTAX_UID {
                let end = |sign: char| sign.is_whitespace() || sign == '\0';
                syntax = Some(String::from_utf8_lossy(value).trim_end_matches(end).to_owned());
            }
        }
        Ok(syntax)
    }

    /// Goes through all elements, those of sequences as they come.
    fn data_set(&mut self) -> Result<(), DicomError> {
        use Within::{Elements, Fragments, Items};
        // And how many bytes are left where it ends, if that is known.
        let mut within: Vec<(Within, Option<usize>)> = Vec::new();
        for _ in 0..MOST_ELEMENTS {
            while within.last().is_some_and(|(_, left)| *left == Some(self.rest.len())) {
                within.pop();
            }
            let inside = within.last().map_or(Elements, |(inside, _)| *inside);
            let Some(header) = self.header(!matches!(inside, Elements)) else { return Ok(()) };
            let into = match (inside, header.tag) {
                (Items, ITEM) => Elements,
                (Items | Fragments, SEQUENCE_END) | (Elements, ITEM_END) => {
                    within.pop();
                    continue;
                }
                (Items, tag) => return Err(DicomError::Misplaced(tag)),
                (Fragments, tag) if tag != ITEM => return Err(DicomError::Misplaced(tag)),
                (Elements, _) if header.vr == VR::SQ => Items,
                (Elements, tags::PIXEL_DATA) if header.length == UNDEFINED => Fragments,
                (Elements, _) if header.length == UNDEFINED => Items,
                _ => {
                    self.value(&header)?;
                    continue;
                }
            };
            let left = self.rest.len().checked_sub(header.length as usize);
            if left.is_none() && header.length != UNDEFINED {
                return Err(self.overlong(&header));
            }
            within.push((into, left));
            if within.len() > 2 * DEEPEST {
                return Err(DicomError::TooDeep { tag: header.tag, deepest: DEEPEST });
            }
        }
        Err(DicomError::TooManyElements)
    }

    /// How the next element begins, or the next item; none where the bytes end before.
    fn header(&mut self, is_item: bool) -> Option<Header> {
        let tag = Tag(self.short()?, self.short()?);
        if !self.is_explicit || is_item || tag.0 == ITEM.0 {
            let known = StandardDataDictionary.by_tag(tag).map(|entry| entry.vr().relaxed());
            return Some(Header { tag, vr: known.unwrap_or(VR::UN), length: self.long()? });
        }
        let vr = VR::from_binary(self.bytes()?).unwrap_or(VR::UN);
        let length = u32::from(self.short()?);
        let length = if is_short(vr) { length } else { self.long()? };
        Some(Header { tag, vr, length })
    }

    /// Goes over a value.
    fn value(&mut self, header: &Header) -> Result<&'a [u8], DicomError> {
        let parts = self.rest.split_at_checked(header.length as usize);
        let (value, rest) = parts.ok_or_else(|| self.overlong(header))?;
        self.rest = rest;
        Ok(value)
    }

    fn overlong(&self, header: &Header) -> DicomError {
        let Header { tag, length, .. } = *header;
        DicomError::Overlong { tag, length, left: self.rest.len() }
    }

    fn bytes<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (first, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(*first)
    }

    fn short(&mut self) -> Option<u16> {
        let bytes = self.bytes()?;
        Some(if self.is_big { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) })
    }

    fn long(&mut self) -> Option<u32> {
        let bytes = self.bytes()?;
        Some(if self.is_big { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) })
    }
}

/// Whether the length of such values has 16 bits; others have 32, after 16 that mean nothing.
const fn is_short(vr: VR) -> bool {
    use VR::*;
    matches!(
        vr,
        AE | AS
            | AT
            | CS
            | DA
            | DS
            | DT
            | FL
            | FD
            | IS
            | LO
            | LT
            | PN
            | SH
            | SL
            | SS
            | ST
            | TM
            | UI
            | UL
            | US
    )
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compression, write::DeflateEncoder};

    use super::*;

    const EXPLICIT: &str = uids::EXPLICIT_VR_LITTLE_ENDIAN;

    /// A file with this data set.
    fn file(syntax: &str, data_set: &[u8]) -> Vec<u8> {
        let padded = format!("{syntax}{}", if syntax.len() % 2 == 1 { "\0" } else { "" });
        let length = padded.len() as u8;
        let mut file = vec![0; 128];
        file.extend(b"DICM\x02\0\0\0UL\x04\0");
        file.extend([length + 8, 0, 0, 0]);
        file.extend(b"\x02\0\x10\0UI");
        file.extend([length, 0]);
        file.extend(padded.bytes());
        file.extend(data_set);
        file
    }

    fn refused(syntax: &str, data_set: &[u8]) -> String {
        check(&file(syntax, data_set)).map_or_else(|error| error.to_string(), |()| String::new())
    }

    /// An explicit sequence of undefined length, and the item that it begins with.
    const OPENED: &[u8] = b"\x08\0\x40\x11SQ\0\0\xff\xff\xff\xff\xfe\xff\0\xe0\xff\xff\xff\xff";

    #[test]
    fn sequences_are_nested_no_deeper_than_images_have_them() {
        // Without a VR the dictionary tells what is a sequence.
        let implicit = [&OPENED[..4], &OPENED[8..]].concat();
        for (syntax, opened) in [(EXPLICIT, OPENED), (uids::IMPLICIT_VR_LITTLE_ENDIAN, &implicit)] {
            assert_eq!(refused(syntax, &opened.repeat(DEEPEST)), "");
            for deep in [DEEPEST + 1, 1 << 20] {
                let reason = refused(syntax, &opened.repeat(deep));
                assert!(reason.contains("(0008,1140) is nested deeper than 16"), "{reason}");
            }
        }
        let closed = [OPENED, b"\xfe\xff\x0d\xe0\0\0\0\0\xfe\xff\xdd\xe0\0\0\0\0"].concat();
        let measured = b"\x08\0\x40\x11SQ\0\0\x08\0\0\0\xfe\xff\0\xe0\0\0\0\0";
        for beside in [&closed[..], measured] {
            assert_eq!(refused(EXPLICIT, &beside.repeat(100)), "", "they are not nested");
        }
    }

    #[test]
    fn no_element_is_longer_than_its_file() {
        let cases: [(&str, &[u8]); 6] = [
            (EXPLICIT, b"\xe0\x7f\x10\0OW\0\0\xfe\xff\xff\xff\0\0"),
            (EXPLICIT, b"\xe0\x7f\x10\0OW\0\0\xff\xff\xff\xff\xfe\xff\0\xe0\x03\0\0\0\0\0"),
            (EXPLICIT, b"\x08\0\x40\x11SQ\0\0\x09\0\0\0\xfe\xff\0\xe0\0\0\0\0"),
            (uids::IMPLICIT_VR_LITTLE_ENDIAN, b"\xe0\x7f\x10\0\x03\0\0\0\0\0"),
            (BIG_ENDIAN, b"\x7f\xe0\0\x10OW\0\0\0\0\0\x03\0\0"),
            ("1.2.840.10008.1.2.4.90", b"\x10\0\x20\0LO\x03\0\0\0"),
        ];
        for (syntax, data_set) in cases {
            let reason = refused(syntax, data_set);
            assert!(reason.contains("cut off"), "{syntax}: {reason}");
        }
        assert!(matches!(check(&file(EXPLICIT, b"")[..160]), Err(DicomError::Overlong { .. })));
    }

    #[test]
    fn what_is_deflated_is_walked_through_too() {
        let mut packed = DeflateEncoder::new(Vec::new(), Compression::fast());
        packed.write_all(&OPENED.repeat(1000)).unwrap();
        let reason = refused(DEFLATED[0], &packed.finish().unwrap());
        assert!(reason.contains("nested deeper"), "{reason}");
        let mut packed = DeflateEncoder::new(Vec::new(), Compression::fast());
        std::io::copy(&mut std::io::repeat(0).take(LARGEST_UNPACKED + 1), &mut packed).unwrap();
        let reason = refused(DEFLATED[0], &packed.finish().unwrap());
        assert!(reason.contains("unpacks to more"), "{reason}");
    }

    #[test]
    fn disorder_is_refused_and_what_ends_early_is_left_to_the_parser() {
        // The parser loses count where a delimiter of items stands among fragments of pixels.
        let stray = b"\xe0\x7f\x10\0OB\0\0\xff\xff\xff\xff\xfe\xff\x0d\xe0\0\0\0\0";
        assert!(refused(EXPLICIT, stray).contains("(FFFE,E00D)"));
        assert!(check(b"DICM").is_ok() && check(b"DICM\x02\0\x10\0UI\x04\0abcd").is_ok());
        assert!(matches!(check(&[0; 200]), Err(DicomError::NoDicom)));
    }
}
