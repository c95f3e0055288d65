//! DICOM files: classic with an image each, enhanced with a frame a slice, in every encoding that
//! dicom-rs reads.

use std::panic::{AssertUnwindSafe, catch_unwind};

use dicom_core::{DicomValue, Tag};
use dicom_dictionary_std::tags;
use dicom_object::{DefaultDicomObject, InMemDicomObject};
use dicom_pixeldata::{DecodedPixelData, PixelDecoder, PixelRepresentation};

use super::dicom_bounds;
use super::geometry::{Lps, cross, direction, dot};
use super::slice::{Instance, Plane, Protocol, Slice};

/// Why a file gives no slices.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say what each is")]
pub enum DicomError {
    #[error("it is no DICOM file")]
    NoDicom,
    #[error("it is no whole DICOM file")]
    Unreadable(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error(
        "it is cut off or broken: its element {tag} claims {length} bytes where {left} are left"
    )]
    Overlong { tag: Tag, length: u32, left: usize },
    #[error("it is broken: {0} stands where an item of a sequence should")]
    Misplaced(Tag),
    #[error("its sequence {tag} is nested deeper than {deepest} others, as that of no image is")]
    TooDeep { tag: Tag, deepest: usize },
    #[error("it has more elements than any image")]
    TooManyElements,
    #[error("it unpacks to more bytes than any image has")]
    Unpacked,
    #[error("it holds no image")]
    NoImage,
    #[error("its voxels cannot be decoded{}", remedy(.syntax))]
    Undecodable { syntax: String, source: Box<dyn std::error::Error + Send + Sync> },
    #[error("it is a secondary capture, a picture of an image rather than what a scanner measured")]
    SecondaryCapture,
    #[error("it has no {0}, so that nobody knows where in the patient its image is")]
    Nowhere(&'static str),
    #[error("its {0} makes no sense")]
    Malformed(&'static str),
    #[error("its photometric interpretation is {0}, where a gray image is wanted")]
    Coloured(String),
    #[error("its voxels have {0} bits, where 8 or 16 are read")]
    Bits(u16),
    #[error("an image of {columns}×{rows} pixels and {frames} frames is larger than any series")]
    TooLarge { columns: u64, rows: u64, frames: u64 },
    #[error("it claims {frames} frames but holds the pixels of {there}")]
    NoPixels { frames: u64, there: u64 },
    #[error("it is broken in a way that its decoder did not foresee")]
    Broken,
}

/// What to do where an encoding is not read by this build.
fn remedy(syntax: &str) -> &'static str {
    const JPEG_LS: [&str; 2] = ["1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.81"];
    match JPEG_LS.contains(&syntax) && !cfg!(feature = "jpeg-ls") {
        true => {
            "; it is JPEG-LS, which is read where the program is built with `--features jpeg-ls`"
        }
        false => "",
    }
}

/// What the class of every secondary capture begins with.
const SECONDARY_CAPTURE: &str = "1.2.840.10008.5.1.4.1.1.7";

/// A series has fewer pixels: 512 MB of them.
const MOST_PIXELS: u64 = 1 << 28;

/// And fewer frames, however small they are.
const MOST_FRAMES: u64 = 1 << 14;

/// Reads the slices of a file from its bytes, and how they were made.
///
/// # Errors
/// Where the file holds no gray images with a place in the patient.
pub fn read(file: &[u8], name: &str) -> Result<(Protocol, Vec<Slice>), DicomError> {
    // Decoders are fed whatever a hospital's archive holds; one that panics must not end a run.
    catch_unwind(AssertUnwindSafe(|| slices(file, name))).unwrap_or(Err(DicomError::Broken))
}

fn slices(file: &[u8], name: &str) -> Result<(Protocol, Vec<Slice>), DicomError> {
    dicom_bounds::check(file)?;
    let object = dicom_object::OpenFileOptions::new()
        .from_reader(file)
        .map_err(|error| DicomError::Unreadable(error.into()))?;
    if object.get(tags::PIXEL_DATA).is_none() {
        return Err(DicomError::NoImage);
    }
    let class = text(&object, tags::SOP_CLASS_UID).unwrap_or_default();
    if class.starts_with(SECONDARY_CAPTURE) {
        return Err(DicomError::SecondaryCapture);
    }
    let count = check(&object)?;
    let shared = item(&object, tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE, 0);
    let frame = |number| {
        let own = item(&object, tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE, number);
        Frame { object: &object, shared, own }
    };
    // Where they are is known before voxels are decoded, which takes long.
    let planes: Vec<Plane> =
        (0..count).map(|number| frame(number).plane()).collect::<Result<_, _>>()?;
    let pixels = object.decode_pixel_data().map_err(|source| DicomError::Undecodable {
        syntax: object.meta().transfer_syntax().trim_end_matches('\0').to_owned(),
        source: source.into(),
    })?;
    let inverted =
        text(&object, tags::PHOTOMETRIC_INTERPRETATION).as_deref() == Some("MONOCHROME1");
    let first = whole(&object, tags::INSTANCE_NUMBER).unwrap_or(0);
    let uid = text(&object, tags::SOP_INSTANCE_UID);
    let slices = planes.into_iter().enumerate().map(|(number, plane)| {
        let values = frame(number).values(&pixels, number as u32, inverted)?;
        if values.len() != plane.size[0] * plane.size[1] {
            return Err(DicomError::Malformed("number of pixels"));
        }
        let frame = (count > 1).then_some(number as u32 + 1);
        let name = match frame {
            None => name.to_owned(),
            Some(frame) => format!("{name} frame {frame}"),
        };
        let instance = uid.clone().map(|uid| Instance { class: class.clone(), uid, frame });
        Ok(Slice { name, instance, number: first + number as i64, plane, values })
    });
    Ok((protocol(frame(0)), slices.collect::<Result<_, _>>()?))
}

/// How many frames there are, once it is known that they can be read.
fn check(object: &DefaultDicomObject) -> Result<usize, DicomError> {
    let photometric = text(object, tags::PHOTOMETRIC_INTERPRETATION).unwrap_or_default();
    if !photometric.starts_with("MONOCHROME") {
        return Err(DicomError::Coloured(photometric));
    }
    let positive = |tag, name| {
        let value = whole(object, tag).and_then(|value| u64::try_from(value).ok());
        value.filter(|&value| value > 0).ok_or(DicomError::Malformed(name))
    };
    let columns = positive(tags::COLUMNS, "number of columns")?;
    let rows = positive(tags::ROWS, "number of rows")?;
    let frames = match object.get(tags::NUMBER_OF_FRAMES) {
        Some(_) => positive(tags::NUMBER_OF_FRAMES, "number of frames")?,
        None => 1,
    };
    let pixels = columns.saturating_mul(rows);
    if pixels.saturating_mul(frames) > MOST_PIXELS || frames > MOST_FRAMES {
        return Err(DicomError::TooLarge { columns, rows, frames });
    }
    let bits = positive(tags::BITS_ALLOCATED, "number of bits")?;
    if ![8, 16].contains(&bits) {
        return Err(DicomError::Bits(bits as u16));
    }
    let there = match object.get(tags::PIXEL_DATA).map(|element| element.value()) {
        Some(DicomValue::Primitive(bytes)) => {
            bytes.calculate_byte_len() as u64 / (pixels * bits / 8)
        }
        // A frame is one fragment or more.
        Some(packed) => packed.fragments().map_or(0, <[_]>::len) as u64,
        None => 0,
    };
    if frames > there {
        return Err(DicomError::NoPixels { frames, there });
    }
    Ok(frames as usize)
}

/// A frame, which has attributes itself, shares them or is the whole file.
#[derive(Clone, Copy)]
struct Frame<'a> {
    object: &'a DefaultDicomObject,
    shared: Option<&'a InMemDicomObject>,
    own: Option<&'a InMemDicomObject>,
}

impl<'a> Frame<'a> {
    /// The numbers of an attribute in a group of the frame, else of the whole file.
    fn numbers(&self, group: Tag, tag: Tag) -> Option<Vec<f64>> {
        let in_group = |of: Option<&'a InMemDicomObject>| numbers(item(of?, group, 0)?, tag);
        in_group(self.own).or_else(|| in_group(self.shared)).or_else(|| numbers(self.object, tag))
    }

    fn exactly<const N: usize>(
        &self,
        group: Tag,
        tag: Tag,
        name: &'static str,
    ) -> Result<[f64; N], DicomError> {
        let numbers = self.numbers(group, tag).ok_or(DicomError::Nowhere(name))?;
        let numbers: [f64; N] = numbers.try_into().map_err(|_| DicomError::Malformed(name))?;
        match numbers.iter().all(|number| number.is_finite()) {
            true => Ok(numbers),
            false => Err(DicomError::Malformed(name)),
        }
    }

    fn plane(&self) -> Result<Plane, DicomError> {
        const TURNED: &str = "ImageOrientationPatient";
        let turned: [f64; 6] = self.exactly(
            tags::PLANE_ORIENTATION_SEQUENCE,
            tags::IMAGE_ORIENTATION_PATIENT,
            TURNED,
        )?;
        let origin: Lps = self.exactly(
            tags::PLANE_POSITION_SEQUENCE,
            tags::IMAGE_POSITION_PATIENT,
            "ImagePositionPatient",
        )?;
        // Rows first, then columns.
        let [down, across]: [f64; 2] =
            self.exactly(tags::PIXEL_MEASURES_SEQUENCE, tags::PIXEL_SPACING, "PixelSpacing")?;
        if down <= 0.0 || across <= 0.0 {
            return Err(DicomError::Malformed("PixelSpacing"));
        }
        let [a, b, c, d, e, f] = turned;
        let directions = direction([a, b, c]).zip(direction([d, e, f]));
        let right_angled = |(row, column): &(Lps, Lps)| dot(*row, *column).abs() < 0.01;
        let (row, column) = directions.filter(right_angled).ok_or(DicomError::Malformed(TURNED))?;
        let thickness = self
            .numbers(tags::PIXEL_MEASURES_SEQUENCE, tags::SLICE_THICKNESS)
            .and_then(|numbers| numbers.first().copied())
            .filter(|thickness| thickness.is_finite() && *thickness > 0.0);
        let side = |tag| whole(self.object, tag).unwrap_or(0) as usize;
        Ok(Plane {
            size: [side(tags::COLUMNS), side(tags::ROWS)],
            origin,
            steps: [row.map(|part| part * across), column.map(|part| part * down)],
            normal: cross(row, column),
            thickness,
        })
    }

    /// The brightness of each pixel, brighter being more; padding is as dark as can be.
    fn values(
        &self,
        pixels: &DecodedPixelData<'_>,
        frame: u32,
        inverted: bool,
    ) -> Result<Vec<f32>, DicomError> {
        let bytes = pixels.frame_data(frame).map_err(|source| DicomError::Undecodable {
            syntax: String::new(),
            source: source.into(),
        })?;
        let stored = stored(pixels, bytes);
        let group = tags::PIXEL_VALUE_TRANSFORMATION_SEQUENCE;
        let first = |tag| self.numbers(group, tag).and_then(|numbers| numbers.first().copied());
        let slope = first(tags::RESCALE_SLOPE).filter(|slope| *slope != 0.0).unwrap_or(1.0);
        let intercept = first(tags::RESCALE_INTERCEPT).unwrap_or(0.0);
        let padding = padding(self.object, pixels);
        let sign = if inverted { -1.0 } else { 1.0 };
        let bright = |value: i32| (sign * (f64::from(value) * slope + intercept)) as f32;
        let is_padding =
            |value: &i32| padding.is_some_and(|(low, high)| (low..=high).contains(value));
        let seen = stored.iter().filter(|value| !is_padding(value)).map(|&value| bright(value));
        let darkest = seen.fold(f32::INFINITY, f32::min);
        let darkest = if darkest.is_finite() { darkest } else { 0.0 };
        Ok(stored
            .iter()
            .map(|value| if is_padding(value) { darkest } else { bright(*value) })
            .collect())
    }
}

/// Stored values: only the bits that hold them, with their sign.
fn stored(pixels: &DecodedPixelData<'_>, bytes: &[u8]) -> Vec<i32> {
    let bits = u32::from(pixels.bits_stored()).clamp(1, u32::from(pixels.bits_allocated()));
    let shift = (u32::from(pixels.high_bit()) + 1).saturating_sub(bits).min(15);
    let signed = pixels.pixel_representation() == PixelRepresentation::Signed;
    let value = |raw: u16| {
        let kept = (i32::from(raw) >> shift) & ((1 << bits) - 1);
        let is_negative = signed && kept >> (bits - 1) & 1 == 1;
        if is_negative { kept - (1 << bits) } else { kept }
    };
    match pixels.bits_allocated() {
        8 => bytes.iter().map(|&byte| value(u16::from(byte))).collect(),
        _ => bytes
            .chunks_exact(2)
            .map(|pair| value(u16::from_ne_bytes([pair[0], pair[1]])))
            .collect(),
    }
}

/// The stored values that stand for nothing seen, from the least to the greatest.
fn padding(object: &DefaultDicomObject, pixels: &DecodedPixelData<'_>) -> Option<(i32, i32)> {
    let value = |tag| {
        let value = whole(object, tag)?;
        // Where values have a sign, a padding value is often written without.
        let signed = pixels.pixel_representation() == PixelRepresentation::Signed;
        let negative = signed && value > i64::from(i16::MAX);
        i32::try_from(if negative { value - (1 << 16) } else { value }).ok()
    };
    let one = value(tags::PIXEL_PADDING_VALUE)?;
    let other = value(tags::PIXEL_PADDING_RANGE_LIMIT).unwrap_or(one);
    Some((one.min(other), one.max(other)))
}

fn protocol(frame: Frame<'_>) -> Protocol {
    let object = frame.object;
    let first = |group, tag| frame.numbers(group, tag)?.first().copied();
    let (echo, modifier) = (tags::MR_ECHO_SEQUENCE, tags::MR_MODIFIER_SEQUENCE);
    let timing = tags::MR_TIMING_AND_RELATED_PARAMETERS_SEQUENCE;
    Protocol {
        study: text(object, tags::STUDY_INSTANCE_UID),
        series: text(object, tags::SERIES_INSTANCE_UID),
        accession: text(object, tags::ACCESSION_NUMBER),
        frame_of_reference: text(object, tags::FRAME_OF_REFERENCE_UID),
        patient: text(object, tags::PATIENT_ID),
        date: text(object, tags::STUDY_DATE),
        number: whole(object, tags::SERIES_NUMBER),
        modality: text(object, tags::MODALITY),
        description: text(object, tags::SERIES_DESCRIPTION)
            .or_else(|| text(object, tags::PROTOCOL_NAME)),
        image_type: text(object, tags::IMAGE_TYPE),
        echo_time: first(echo, tags::EFFECTIVE_ECHO_TIME).or_else(|| first(echo, tags::ECHO_TIME)),
        repetition_time: first(timing, tags::REPETITION_TIME),
        inversion_time: first(modifier, tags::INVERSION_TIMES)
            .or_else(|| first(modifier, tags::INVERSION_TIME)),
        contrast_agent: contrast_agent(frame),
        header: Some(header(object)),
    }
}

/// What was injected, unless it is said that nothing was.
fn contrast_agent(frame: Frame<'_>) -> Option<String> {
    let agents = item(frame.object, tags::CONTRAST_BOLUS_AGENT_SEQUENCE, 0);
    let agent = text(frame.object, tags::CONTRAST_BOLUS_AGENT)
        .or_else(|| text(agents?, tags::CODE_MEANING))?;
    let usage = tags::CONTRAST_BOLUS_USAGE_SEQUENCE;
    let given = [frame.own, frame.shared]
        .into_iter()
        .flatten()
        .find_map(|of| text(item(of, usage, 0)?, tags::CONTRAST_BOLUS_AGENT_ADMINISTERED));
    let is_none = ["NONE", "NO", "N"].contains(&agent.to_uppercase().as_str());
    (!is_none && given.as_deref() != Some("NO")).then_some(agent)
}

/// What all images of a study say of the patient and the study.
fn header(object: &InMemDicomObject) -> InMemDicomObject {
    const SHARED: [Tag; 11] = [
        tags::STUDY_DATE,
        tags::STUDY_TIME,
        tags::ACCESSION_NUMBER,
        tags::REFERRING_PHYSICIAN_NAME,
        tags::STUDY_DESCRIPTION,
        tags::PATIENT_NAME,
        tags::PATIENT_ID,
        tags::PATIENT_BIRTH_DATE,
        tags::PATIENT_SEX,
        tags::STUDY_INSTANCE_UID,
        tags::STUDY_ID,
    ];
    InMemDicomObject::from_element_iter(SHARED.iter().filter_map(|&tag| object.get(tag).cloned()))
}

fn text(object: &InMemDicomObject, tag: Tag) -> Option<String> {
    let text = object.get(tag)?.to_str().ok()?;
    let text = text.trim_matches(|c: char| c.is_whitespace() || c == '\0');
    (!text.is_empty()).then(|| text.to_owned())
}

fn numbers(object: &InMemDicomObject, tag: Tag) -> Option<Vec<f64>> {
    object.get(tag)?.to_multi_float64().ok().filter(|numbers| !numbers.is_empty())
}

fn whole(object: &InMemDicomObject, tag: Tag) -> Option<i64> {
    object.get(tag)?.to_int().ok()
}

/// An item of a sequence.
fn item(object: &InMemDicomObject, tag: Tag, number: usize) -> Option<&InMemDicomObject> {
    object.get(tag)?.items()?.get(number)
}
