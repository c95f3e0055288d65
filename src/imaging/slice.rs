//! A slice as a scanner made it, before it is part of a volume.

use dicom_object::InMemDicomObject;

use super::geometry::Lps;

/// An image in its plane.
#[derive(Debug, Clone, PartialEq)]
pub struct Slice {
    /// Its file, and which frame of it.
    pub name: String,
    /// The image that it is, where its format gives images a name of their own.
    pub instance: Option<Instance>,
    /// Its number in the series, which says nothing of where it is.
    pub number: i64,
    /// Where it is.
    pub plane: Plane,
    /// Brightness, along rows first.
    pub values: Vec<f32>,
}

/// An image, or a frame of one, as others refer to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    /// SOPClassUID.
    pub class: String,
    /// SOPInstanceUID.
    pub uid: String,
    /// Which frame, from 1; none where the image has but one.
    pub frame: Option<u32>,
}

/// A plane of pixels in the patient.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plane {
    /// Pixels in a row, and rows.
    pub size: [usize; 2],
    /// The centre of the first pixel in mm.
    pub origin: Lps,
    /// The way to the next pixel of a row, and to the next row, in mm.
    pub steps: [Lps; 2],
    /// The direction across the plane.
    pub normal: Lps,
    /// The thickness of the slice in mm, where it is known.
    pub thickness: Option<f64>,
}

/// How a series was made, and whose it is.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Protocol {
    /// StudyInstanceUID.
    pub study: Option<String>,
    /// SeriesInstanceUID.
    pub series: Option<String>,
    /// Accession number.
    pub accession: Option<String>,
    /// FrameOfReferenceUID: which series share their mm.
    pub frame_of_reference: Option<String>,
    /// Patient ID.
    pub patient: Option<String>,
    /// The day of the study, YYYYMMDD.
    pub date: Option<String>,
    /// Series number.
    pub number: Option<i64>,
    /// "MR".
    pub modality: Option<String>,
    /// Series description, else the protocol's name.
    pub description: Option<String>,
    /// "ORIGINAL\\PRIMARY\\M".
    pub image_type: Option<String>,
    /// TE in ms.
    pub echo_time: Option<f64>,
    /// TR in ms.
    pub repetition_time: Option<f64>,
    /// TI in ms.
    pub inversion_time: Option<f64>,
    /// What was injected.
    pub contrast_agent: Option<String>,
    /// What tells of the patient and the study, as all images of the study have it.
    pub header: Option<InMemDicomObject>,
}
