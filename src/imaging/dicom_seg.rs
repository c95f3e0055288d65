//! Masks as a DICOM segmentation (PS3.3 A.51), which viewers lay over the series that they were found
//! on: a bit a pixel, and a frame for each slice that a segment is on.

use std::io::Write;

use dicom_core::{DataElement, PrimitiveValue, Tag, VR, dicom_value};
use dicom_dictionary_std::{tags, uids};
use dicom_object::{FileMetaTableBuilder, InMemDicomObject};
use sha2::{Digest, Sha256};

use super::geometry::{along, direction, length};
use super::grid::Mask;
use super::series::Series;
use super::slice::Instance;

/// A value of the mask, and what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// The value.
    pub value: u8,
    /// What a viewer calls it.
    pub label: String,
    /// What it is, in SNOMED CT.
    pub code: Code,
}

/// A term of a coding scheme.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code {
    /// The scheme, such as SCT for SNOMED CT.
    pub scheme: &'static str,
    /// The code in it.
    pub value: &'static str,
    /// What it says.
    pub meaning: &'static str,
}

/// Why there is no segmentation.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say what each is")]
pub enum SegmentationError {
    #[error("the series has no {0}, to which a DICOM segmentation refers")]
    Nameless(&'static str),
    #[error("none of the segments is in the mask")]
    Empty,
    #[error("the DICOM segmentation cannot be written")]
    Unwritable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

const ANATOMY: Code = Code { scheme: "SCT", value: "123037004", meaning: "Anatomical Structure" };
const SEGMENTATION: Code = Code { scheme: "DCM", value: "113076", meaning: "Segmentation" };
const SOURCE: Code =
    Code { scheme: "DCM", value: "121322", meaning: "Source image for image processing operation" };

/// Writes the segments of a mask that has the voxels of the largest volume of a series. `made` is when,
/// as YYYYMMDD and HHMMSS. UIDs follow from all of these: what differs has another.
///
/// # Errors
/// Where the series is not from DICOM or the mask is empty, and where the file cannot be written.
pub fn write(
    mask: &Mask,
    segments: &[Segment],
    series: &Series,
    made: [&str; 2],
    file: impl Write,
) -> Result<(), SegmentationError> {
    let seen: Vec<&Segment> =
        segments.iter().filter(|segment| mask.values.contains(&segment.value)).collect();
    let frames = frames(mask, &seen);
    if frames.is_empty() {
        return Err(SegmentationError::Empty);
    }
    let mut object = identified(mask, series, made)?;
    object.extend(image(mask, &frames));
    object.put(sequence(
        tags::SEGMENT_SEQUENCE,
        seen.iter().enumerate().map(|(at, segment)| described(at, segment)),
    ));
    let organization = uid(&[b"dimensions", &hash(mask, series, made)]);
    object.extend(dimensions(&organization));
    object.put(sequence(tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE, [shared(mask)]));
    object.put(sequence(
        tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE,
        frames.iter().map(|frame| own(mask, series, frame)),
    ));
    let meta = FileMetaTableBuilder::new()
        .transfer_syntax(uids::EXPLICIT_VR_LITTLE_ENDIAN)
        .implementation_version_name("DEEPSPINE");
    let object =
        object.with_meta(meta).map_err(|error| SegmentationError::Unwritable(error.into()))?;
    object.write_all(file).map_err(|error| SegmentationError::Unwritable(error.into()))
}

/// A segment on a slice.
#[derive(Debug, Clone, Copy)]
struct Frame {
    /// The place of the segment, from 0.
    segment: usize,
    value: u8,
    k: usize,
}

fn frames(mask: &Mask, segments: &[&Segment]) -> Vec<Frame> {
    let slices = 0..mask.geometry.size[2];
    let of = |(segment, &&Segment { value, .. }): (usize, &&Segment)| {
        let on = move |k: &usize| mask.slice(*k).contains(&value);
        slices.clone().filter(on).map(move |k| Frame { segment, value, k })
    };
    segments.iter().enumerate().flat_map(of).collect()
}

/// Patient, study, the series of the segmentation and the one that it is of.
fn identified(
    mask: &Mask,
    series: &Series,
    made: [&str; 2],
) -> Result<InMemDicomObject, SegmentationError> {
    let protocol = &series.protocol;
    let named =
        |value: &Option<String>, name| value.clone().ok_or(SegmentationError::Nameless(name));
    let source = named(&protocol.series, "SeriesInstanceUID")?;
    let frame_of_reference = named(&protocol.frame_of_reference, "FrameOfReferenceUID")?;
    let header = protocol.header.clone();
    let mut object = header.ok_or(SegmentationError::Nameless("header"))?;
    let hash = hash(mask, series, made);
    let version = env!("CARGO_PKG_VERSION");
    let [date, time] = made;
    let number = protocol.number.unwrap_or(0).saturating_mul(100).clamp(1, 99_999).to_string();
    for (tag, vr, value) in [
        (tags::SPECIFIC_CHARACTER_SET, VR::CS, "ISO_IR 192"),
        (tags::SOP_CLASS_UID, VR::UI, uids::SEGMENTATION_STORAGE),
        (tags::SOP_INSTANCE_UID, VR::UI, &uid(&[b"instance", &hash])),
        (tags::MODALITY, VR::CS, "SEG"),
        (tags::SERIES_INSTANCE_UID, VR::UI, &uid(&[b"series", &hash])),
        (tags::SERIES_NUMBER, VR::IS, &number),
        (tags::SERIES_DESCRIPTION, VR::LO, "Lumbar spine, segmented"),
        (tags::INSTANCE_NUMBER, VR::IS, "1"),
        (tags::CONTENT_DATE, VR::DA, date),
        (tags::CONTENT_TIME, VR::TM, time),
        (tags::SERIES_DATE, VR::DA, date),
        (tags::SERIES_TIME, VR::TM, time),
        (tags::CONTENT_LABEL, VR::CS, "SPINE"),
        (tags::CONTENT_DESCRIPTION, VR::LO, "Vertebrae, discs and canal"),
        (tags::CONTENT_CREATOR_NAME, VR::PN, "deepspine"),
        (tags::MANUFACTURER, VR::LO, "deepspine"),
        (tags::MANUFACTURER_MODEL_NAME, VR::LO, "deepspine"),
        (tags::DEVICE_SERIAL_NUMBER, VR::LO, version),
        (tags::SOFTWARE_VERSIONS, VR::LO, version),
        (tags::FRAME_OF_REFERENCE_UID, VR::UI, &frame_of_reference),
        (tags::POSITION_REFERENCE_INDICATOR, VR::LO, ""),
    ] {
        object.put(text(tag, vr, value));
    }
    let images = series.stacks[0].slices.iter().flatten().filter_map(|s| s.instance.as_ref());
    let mut images: Vec<&Instance> = images.collect();
    images.dedup_by_key(|instance| &instance.uid);
    let of = InMemDicomObject::from_element_iter([
        text(tags::SERIES_INSTANCE_UID, VR::UI, &source),
        sequence(tags::REFERENCED_INSTANCE_SEQUENCE, images.into_iter().map(referred)),
    ]);
    object.put(sequence(tags::REFERENCED_SERIES_SEQUENCE, [of]));
    Ok(object)
}

/// What the pixels are.
fn image(mask: &Mask, frames: &[Frame]) -> Vec<Element> {
    let [columns, rows, _] = mask.geometry.size;
    let short = |tag, value: u16| DataElement::new(tag, VR::US, PrimitiveValue::from(value));
    vec![
        DataElement::new(tags::IMAGE_TYPE, VR::CS, dicom_value!(Strs, ["DERIVED", "PRIMARY"])),
        text(tags::SEGMENTATION_TYPE, VR::CS, "BINARY"),
        text(tags::LOSSY_IMAGE_COMPRESSION, VR::CS, "00"),
        short(tags::SAMPLES_PER_PIXEL, 1),
        text(tags::PHOTOMETRIC_INTERPRETATION, VR::CS, "MONOCHROME2"),
        text(tags::NUMBER_OF_FRAMES, VR::IS, &frames.len().to_string()),
        short(tags::ROWS, rows as u16),
        short(tags::COLUMNS, columns as u16),
        short(tags::BITS_ALLOCATED, 1),
        short(tags::BITS_STORED, 1),
        short(tags::HIGH_BIT, 0),
        short(tags::PIXEL_REPRESENTATION, 0),
        DataElement::new(tags::PIXEL_DATA, VR::OB, PrimitiveValue::U8(bits(mask, frames).into())),
    ]
}

/// A bit a pixel, the first pixel in the lowest bit, frame after frame without a gap.
fn bits(mask: &Mask, frames: &[Frame]) -> Vec<u8> {
    let pixels = frames
        .iter()
        .flat_map(|frame| mask.slice(frame.k).iter().map(move |value| *value == frame.value));
    let count = frames.len() * mask.geometry.size[0] * mask.geometry.size[1];
    let mut bytes = vec![0; count.div_ceil(16) * 2];
    for (place, is_in) in pixels.enumerate() {
        bytes[place / 8] |= u8::from(is_in) << (place % 8);
    }
    bytes
}

/// What a segment is.
fn described(at: usize, segment: &Segment) -> InMemDicomObject {
    InMemDicomObject::from_element_iter([
        number(tags::SEGMENT_NUMBER, at),
        text(tags::SEGMENT_LABEL, VR::LO, &segment.label),
        text(tags::SEGMENT_ALGORITHM_TYPE, VR::CS, "AUTOMATIC"),
        text(tags::SEGMENT_ALGORITHM_NAME, VR::LO, "deepspine"),
        coded(tags::SEGMENTED_PROPERTY_CATEGORY_CODE_SEQUENCE, ANATOMY),
        coded(tags::SEGMENTED_PROPERTY_TYPE_CODE_SEQUENCE, segment.code),
    ])
}

/// Frames go by segment, then by place.
fn dimensions(organization: &str) -> [Element; 2] {
    let pointer = |tag, value: Tag| DataElement::new(tag, VR::AT, PrimitiveValue::from(value));
    let index = |of: Tag, group: Tag, label| {
        InMemDicomObject::from_element_iter([
            text(tags::DIMENSION_ORGANIZATION_UID, VR::UI, organization),
            pointer(tags::DIMENSION_INDEX_POINTER, of),
            pointer(tags::FUNCTIONAL_GROUP_POINTER, group),
            text(tags::DIMENSION_DESCRIPTION_LABEL, VR::LO, label),
        ])
    };
    let uid = text(tags::DIMENSION_ORGANIZATION_UID, VR::UI, organization);
    [
        sequence(
            tags::DIMENSION_ORGANIZATION_SEQUENCE,
            [InMemDicomObject::from_element_iter([uid])],
        ),
        sequence(
            tags::DIMENSION_INDEX_SEQUENCE,
            [
                index(
                    tags::REFERENCED_SEGMENT_NUMBER,
                    tags::SEGMENT_IDENTIFICATION_SEQUENCE,
                    "Segment",
                ),
                index(tags::IMAGE_POSITION_PATIENT, tags::PLANE_POSITION_SEQUENCE, "Position"),
            ],
        ),
    ]
}

/// What all frames share: how they lie, and how large their pixels are.
fn shared(mask: &Mask) -> InMemDicomObject {
    let [row, column, step] = mask.geometry.steps;
    let turned = [row, column].map(|step| direction(step).unwrap_or_default()).concat();
    let apart = length(step);
    let plane =
        InMemDicomObject::from_element_iter([decimals(tags::IMAGE_ORIENTATION_PATIENT, &turned)]);
    let pixels = InMemDicomObject::from_element_iter([
        decimals(tags::SLICE_THICKNESS, &[apart]),
        decimals(tags::SPACING_BETWEEN_SLICES, &[apart]),
        decimals(tags::PIXEL_SPACING, &[length(column), length(row)]),
    ]);
    InMemDicomObject::from_element_iter([
        sequence(tags::PLANE_ORIENTATION_SEQUENCE, [plane]),
        sequence(tags::PIXEL_MEASURES_SEQUENCE, [pixels]),
    ])
}

/// What a frame has of its own: its segment, its place, and the image that it was found on.
fn own(mask: &Mask, series: &Series, frame: &Frame) -> InMemDicomObject {
    let origin = along(mask.geometry.origin, mask.geometry.steps[2], frame.k as f64);
    let place = [frame.segment as u32 + 1, frame.k as u32 + 1];
    let index = DataElement::new(
        tags::DIMENSION_INDEX_VALUES,
        VR::UL,
        PrimitiveValue::U32(place.as_slice().into()),
    );
    let item = |element| [InMemDicomObject::from_element_iter([element])];
    let mut own = InMemDicomObject::from_element_iter([
        sequence(tags::FRAME_CONTENT_SEQUENCE, item(index)),
        sequence(
            tags::PLANE_POSITION_SEQUENCE,
            item(decimals(tags::IMAGE_POSITION_PATIENT, &origin)),
        ),
        sequence(
            tags::SEGMENT_IDENTIFICATION_SEQUENCE,
            item(number(tags::REFERENCED_SEGMENT_NUMBER, frame.segment)),
        ),
    ]);
    // A slice that was filled in between two others is of no image.
    let source = series.stacks[0].slices.get(frame.k).and_then(Option::as_ref);
    if let Some(instance) = source.and_then(|source| source.instance.as_ref()) {
        let mut image = referred(instance);
        image.put(coded(tags::PURPOSE_OF_REFERENCE_CODE_SEQUENCE, SOURCE));
        let derived = InMemDicomObject::from_element_iter([
            sequence(tags::SOURCE_IMAGE_SEQUENCE, [image]),
            coded(tags::DERIVATION_CODE_SEQUENCE, SEGMENTATION),
        ]);
        own.put(sequence(tags::DERIVATION_IMAGE_SEQUENCE, [derived]));
    }
    own
}

/// An image that is referred to.
fn referred(instance: &Instance) -> InMemDicomObject {
    let frame = instance.frame.map(|frame| frame.to_string());
    let frame = frame.map(|frame| text(tags::REFERENCED_FRAME_NUMBER, VR::IS, &frame));
    let image = [
        text(tags::REFERENCED_SOP_CLASS_UID, VR::UI, &instance.class),
        text(tags::REFERENCED_SOP_INSTANCE_UID, VR::UI, &instance.uid),
    ];
    InMemDicomObject::from_element_iter(image.into_iter().chain(frame))
}

pub(super) type Element = dicom_object::mem::InMemElement;

pub(super) fn text(tag: Tag, vr: VR, value: &str) -> Element {
    DataElement::new(tag, vr, PrimitiveValue::from(value))
}

/// A place, from 0, as DICOM counts, from 1.
fn number(tag: Tag, place: usize) -> Element {
    DataElement::new(tag, VR::US, PrimitiveValue::from(place as u16 + 1))
}

/// Decimals have at most 16 characters each.
pub(super) fn decimals(tag: Tag, values: &[f64]) -> Element {
    let written = values.iter().map(|value| {
        let exact = format!("{value}");
        if exact.len() <= 16 { exact } else { format!("{value:.9e}") }
    });
    DataElement::new(tag, VR::DS, PrimitiveValue::Strs(written.collect()))
}

fn sequence(tag: Tag, items: impl IntoIterator<Item = InMemDicomObject>) -> Element {
    let items: Vec<InMemDicomObject> = items.into_iter().collect();
    DataElement::new(tag, VR::SQ, dicom_core::value::DataSetSequence::from(items))
}

fn coded(tag: Tag, code: Code) -> Element {
    let item = InMemDicomObject::from_element_iter([
        text(tags::CODE_VALUE, VR::SH, code.value),
        text(tags::CODING_SCHEME_DESIGNATOR, VR::SH, code.scheme),
        text(tags::CODE_MEANING, VR::LO, code.meaning),
    ]);
    sequence(tag, [item])
}

/// What makes a segmentation the same one.
fn hash(mask: &Mask, series: &Series, made: [&str; 2]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(series.protocol.series.as_deref().unwrap_or_default());
    hash.update(env!("CARGO_PKG_VERSION"));
    made.iter().for_each(|part| hash.update(part));
    hash.update(&mask.values);
    hash.finalize().into()
}

/// A UID that follows from bytes, as those that follow from a UUID do (PS3.5 B.2).
pub fn uid(of: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    of.iter().for_each(|part| hash.update(part));
    let digest: [u8; 32] = hash.finalize().into();
    let first: [u8; 16] = std::array::from_fn(|at| digest[at]);
    format!("2.25.{}", u128::from_be_bytes(first))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imaging::slice::Protocol;
    use crate::imaging::stack::{Source, Stack};
    use crate::imaging::{Geometry, Volume};

    fn mask() -> Mask {
        let steps = [[0.0, 0.7, 0.0], [0.0, 0.0, -0.7], [-4.4, 0.0, 0.0]];
        let geometry = Geometry::new([7, 5, 3], [11.5, -20.0, 30.0], steps).unwrap();
        let mut mask = Mask::filled(geometry, 0);
        for (place, value) in [(0, 1), (9, 1), (36, 1), (40, 201), (41, 201), (104, 201)] {
            mask.values[place] = value;
        }
        mask
    }

    fn series(mask: &Mask, frame_of_reference: Option<&str>) -> Series {
        let protocol = Protocol {
            series: Some("1.2.3".into()),
            number: Some(4),
            frame_of_reference: frame_of_reference.map(str::to_owned),
            header: Some(InMemDicomObject::from_element_iter([text(
                tags::PATIENT_NAME,
                VR::PN,
                "Müller^Anna",
            )])),
            ..Protocol::default()
        };
        let source = |number: usize| Source {
            name: format!("{number}.dcm"),
            instance: Some(Instance {
                class: uids::MR_IMAGE_STORAGE.into(),
                uid: format!("1.2.3.{number}"),
                frame: None,
            }),
        };
        let stack = Stack {
            volume: Volume::filled(mask.geometry, 0.0),
            slices: vec![Some(source(0)), None, Some(source(2))],
            back: None,
            notes: Vec::new(),
        };
        Series::new("t2".into(), protocol, vec![stack], Vec::new())
    }

    fn segments() -> Vec<Segment> {
        let code = |meaning| Code { scheme: "SCT", value: "0", meaning };
        let of = |value, label: &str| Segment { value, label: label.into(), code: code("part") };
        vec![of(1, "L5"), of(2, "L4"), of(201, "L5-S1")]
    }

    #[test]
    fn what_is_written_is_read_again() {
        let mask = mask();
        let mut bytes = Vec::new();
        write(&mask, &segments(), &series(&mask, Some("1.9")), ["20260102", "030405"], &mut bytes)
            .unwrap();
        let read = dicom_object::from_reader(bytes.as_slice()).unwrap();
        let text = |tag| read.get(tag).unwrap().to_str().unwrap().into_owned();
        assert_eq!(text(tags::PATIENT_NAME), "Müller^Anna");
        assert_eq!(text(tags::NUMBER_OF_FRAMES), "4");
        let items = |tag| read.get(tag).unwrap().items().unwrap();
        let labels: Vec<String> = items(tags::SEGMENT_SEQUENCE)
            .iter()
            .map(|item| item.get(tags::SEGMENT_LABEL).unwrap().to_str().unwrap().into_owned())
            .collect();
        assert_eq!(labels, ["L5", "L5-S1"], "L4 is not in the mask");
        let bits = read.get(tags::PIXEL_DATA).unwrap().to_bytes().unwrap();
        let mut again = Mask::filled(mask.geometry, 0);
        let frames = items(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE);
        for (number, frame) in frames.iter().enumerate() {
            let first = |tag| frame.get(tag).unwrap().items().unwrap()[0].clone();
            let index = first(tags::FRAME_CONTENT_SEQUENCE);
            let index = index.get(tags::DIMENSION_INDEX_VALUES).unwrap();
            let index = index.to_multi_int::<usize>().unwrap();
            let place = first(tags::PLANE_POSITION_SEQUENCE);
            let place = place.get(tags::IMAGE_POSITION_PATIENT).unwrap();
            let place = place.to_multi_float64().unwrap();
            let k = again.geometry.to_voxel([place[0], place[1], place[2]])[2].round() as usize;
            assert_eq!(index[1], k + 1);
            assert_eq!(frame.get(tags::DERIVATION_IMAGE_SEQUENCE).is_some(), k != 1);
            for pixel in 0..35 {
                let bit = number * 35 + pixel;
                if bits[bit / 8] >> (bit % 8) & 1 == 1 {
                    again.values[k * 35 + pixel] = [1, 201][index[0] - 1];
                }
            }
        }
        assert_eq!(again, mask);
    }

    #[test]
    fn the_same_mask_is_the_same_object_and_another_is_not() {
        let mask = mask();
        let mut other = mask.clone();
        other.values[50] = 1;
        let uid = |mask: &Mask| {
            let mut bytes = Vec::new();
            let series = series(mask, Some("1.9"));
            write(mask, &segments(), &series, ["20260102", "030405"], &mut bytes).unwrap();
            let read = dicom_object::from_reader(bytes.as_slice()).unwrap();
            read.get(tags::SOP_INSTANCE_UID).unwrap().to_str().unwrap().into_owned()
        };
        assert_eq!(uid(&mask), uid(&mask));
        assert_ne!(uid(&mask), uid(&other));
        assert!(uid(&mask).len() <= 64);
    }

    #[test]
    fn a_series_without_a_place_in_space_is_refused() {
        let mask = mask();
        let refused = |segments: &[Segment], frame| {
            let series = series(&mask, frame);
            write(&mask, segments, &series, ["20260102", "030405"], Vec::new()).unwrap_err()
        };
        assert!(refused(&segments(), None).to_string().contains("FrameOfReferenceUID"));
        assert!(matches!(refused(&[], Some("1.9")), SegmentationError::Empty));
    }
}
