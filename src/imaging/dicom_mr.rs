//! Slices as classic DICOM MR images (PS3.3 A.4), a file each, with their place in the patient.

use std::io::Write;

use dicom_core::{DataElement, PrimitiveValue, Tag, VR, dicom_value};
use dicom_dictionary_std::{tags, uids};
use dicom_object::{FileMetaTableBuilder, InMemDicomObject};

use super::dicom_seg::{Element, decimals, text};
use super::slice::Plane;

pub use super::dicom_seg::uid;

/// Whose images they are. UIDs of series and images follow from that of the study.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "DICOM's own names")]
pub struct Header {
    pub study_uid: String,
    pub accession: String,
    pub patient: String,
    /// `F` or `M`.
    pub sex: String,
    /// YYYYMMDD, as are all days.
    pub birth_date: String,
    pub date: String,
    pub description: String,
}

/// How a series was made.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Made<'a> {
    /// Its number in the study, from 1.
    pub number: u32,
    /// Its description.
    pub description: &'a str,
    /// TE and TR in ms.
    pub times: [f64; 2],
}

/// Why an image is not written.
#[derive(Debug, thiserror::Error)]
#[error("the DICOM image cannot be written")]
pub struct Unwritable(#[source] Box<dyn std::error::Error + Send + Sync>);

/// Writes the slice of this number, from 1, whose pixels are no brighter than 4095, along rows first.
///
/// # Errors
/// Where the file cannot be written.
pub fn write(
    header: &Header,
    made: Made<'_>,
    number: u32,
    plane: &Plane,
    values: &[u16],
    file: impl Write,
) -> Result<(), Unwritable> {
    let mut object = identified(header, made, number);
    object.extend(placed(plane));
    object.extend(image(plane, values));
    let meta = FileMetaTableBuilder::new()
        .transfer_syntax(uids::EXPLICIT_VR_LITTLE_ENDIAN)
        .implementation_version_name("DEEPSPINE");
    let object = object.with_meta(meta).map_err(|error| Unwritable(error.into()))?;
    object.write_all(file).map_err(|error| Unwritable(error.into()))
}

/// Patient, study, series, and how it was made.
fn identified(header: &Header, made: Made<'_>, number: u32) -> InMemDicomObject {
    let study = header.study_uid.as_bytes();
    let series = uid(&[b"series", study, &made.number.to_le_bytes()]);
    let instance = uid(&[b"image", series.as_bytes(), &number.to_le_bytes()]);
    let texts = [
        (tags::SOP_CLASS_UID, VR::UI, uids::MR_IMAGE_STORAGE),
        (tags::SOP_INSTANCE_UID, VR::UI, &instance),
        (tags::STUDY_DATE, VR::DA, &header.date),
        (tags::SERIES_DATE, VR::DA, &header.date),
        (tags::ACCESSION_NUMBER, VR::SH, &header.accession),
        (tags::MODALITY, VR::CS, "MR"),
        (tags::MANUFACTURER, VR::LO, "deepspine"),
        (tags::MANUFACTURER_MODEL_NAME, VR::LO, "simulated"),
        (tags::STUDY_DESCRIPTION, VR::LO, &header.description),
        (tags::SERIES_DESCRIPTION, VR::LO, made.description),
        (tags::PATIENT_NAME, VR::PN, "Simulated"),
        (tags::PATIENT_ID, VR::LO, &header.patient),
        (tags::PATIENT_BIRTH_DATE, VR::DA, &header.birth_date),
        (tags::PATIENT_SEX, VR::CS, &header.sex),
        (tags::BODY_PART_EXAMINED, VR::CS, "LSPINE"),
        (tags::SCANNING_SEQUENCE, VR::CS, "SE"),
        (tags::SEQUENCE_VARIANT, VR::CS, "SK"),
        (tags::SCAN_OPTIONS, VR::CS, ""),
        (tags::MR_ACQUISITION_TYPE, VR::CS, "2D"),
        (tags::PATIENT_POSITION, VR::CS, "HFS"),
        (tags::STUDY_INSTANCE_UID, VR::UI, &header.study_uid),
        (tags::SERIES_INSTANCE_UID, VR::UI, &series),
        (tags::STUDY_ID, VR::SH, "1"),
        (tags::SERIES_NUMBER, VR::IS, &made.number.to_string()),
        (tags::INSTANCE_NUMBER, VR::IS, &number.to_string()),
        (tags::FRAME_OF_REFERENCE_UID, VR::UI, &uid(&[b"frame", study])),
        (tags::POSITION_REFERENCE_INDICATOR, VR::LO, ""),
    ];
    let mut object = InMemDicomObject::from_element_iter(
        texts.into_iter().map(|(tag, vr, value)| text(tag, vr, value)),
    );
    let kind = dicom_value!(Strs, ["ORIGINAL", "PRIMARY", "M", "SE"]);
    object.put(DataElement::new(tags::IMAGE_TYPE, VR::CS, kind));
    let [echo, repetition] = made.times;
    object.put(decimals(tags::ECHO_TIME, &[echo]));
    object.put(decimals(tags::REPETITION_TIME, &[repetition]));
    object
}

/// Where the pixels are.
fn placed(plane: &Plane) -> Vec<Element> {
    let [across, down] = plane.steps.map(super::geometry::length);
    let [row, column] = plane.steps.map(|way| super::geometry::direction(way).unwrap_or(way));
    let mut elements = vec![
        decimals(tags::IMAGE_POSITION_PATIENT, &plane.origin),
        decimals(tags::IMAGE_ORIENTATION_PATIENT, &[row, column].concat()),
        // Rows first, then columns.
        decimals(tags::PIXEL_SPACING, &[down, across]),
    ];
    elements.extend(plane.thickness.map(|thickness| decimals(tags::SLICE_THICKNESS, &[thickness])));
    elements
}

/// The pixels.
fn image(plane: &Plane, values: &[u16]) -> Vec<Element> {
    let [columns, rows] = plane.size;
    let short = |tag: Tag, value: u16| DataElement::new(tag, VR::US, PrimitiveValue::from(value));
    let brightest = f64::from(values.iter().copied().max().unwrap_or(1).max(2));
    vec![
        short(tags::SAMPLES_PER_PIXEL, 1),
        text(tags::PHOTOMETRIC_INTERPRETATION, VR::CS, "MONOCHROME2"),
        short(tags::ROWS, rows as u16),
        short(tags::COLUMNS, columns as u16),
        short(tags::BITS_ALLOCATED, 16),
        short(tags::BITS_STORED, 12),
        short(tags::HIGH_BIT, 11),
        short(tags::PIXEL_REPRESENTATION, 0),
        decimals(tags::WINDOW_CENTER, &[(brightest / 2.0).round()]),
        decimals(tags::WINDOW_WIDTH, &[brightest]),
        DataElement::new(tags::PIXEL_DATA, VR::OW, PrimitiveValue::U16(values.into())),
    ]
}
