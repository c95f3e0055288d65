//! DICOM files as scanners write them, made here: classic ones with an image each, an enhanced one with
//! a frame a slice, one that is packed as JPEG.

use std::path::{Path, PathBuf};

use deepspine::imaging::{Kind, Study};
use dicom_core::value::{DataSetSequence, PixelFragmentSequence};
use dicom_core::{DataElement, PrimitiveValue, Tag, VR};
use dicom_dictionary_std::{tags, uids};
use dicom_object::mem::InMemElement;
use dicom_object::{FileMetaTableBuilder, InMemDicomObject};

/// A sagittal slice, brightness along rows first.
pub(crate) struct Shot<'a> {
    pub(crate) size: [usize; 2],
    /// How far to the left it is, in mm.
    pub(crate) left: f64,
    /// The width of its pixels in mm.
    pub(crate) pixel: f64,
    pub(crate) values: &'a [u16],
}

pub(crate) fn text(tag: Tag, vr: VR, value: &str) -> InMemElement {
    DataElement::new(tag, vr, PrimitiveValue::from(value))
}

fn short(tag: Tag, value: u16) -> InMemElement {
    DataElement::new(tag, VR::US, PrimitiveValue::from(value))
}

pub(crate) fn decimals(tag: Tag, values: &[f64]) -> InMemElement {
    let values = values.iter().map(f64::to_string).collect();
    DataElement::new(tag, VR::DS, PrimitiveValue::Strs(values))
}

fn sequence(tag: Tag, items: Vec<InMemDicomObject>) -> InMemElement {
    DataElement::new(tag, VR::SQ, DataSetSequence::from(items))
}

fn of(elements: impl IntoIterator<Item = InMemElement>) -> InMemDicomObject {
    InMemDicomObject::from_element_iter(elements)
}

/// What every image of the series says.
pub(crate) fn series(class: &str, uid: &str, [width, height]: [usize; 2]) -> InMemDicomObject {
    of([
        text(tags::SOP_CLASS_UID, VR::UI, class),
        text(tags::SOP_INSTANCE_UID, VR::UI, uid),
        text(tags::STUDY_INSTANCE_UID, VR::UI, "1.2.826.0.1.7"),
        text(tags::SERIES_INSTANCE_UID, VR::UI, "1.2.826.0.1.7.1"),
        text(tags::FRAME_OF_REFERENCE_UID, VR::UI, "1.2.826.0.1.7.9"),
        text(tags::ACCESSION_NUMBER, VR::SH, "A-17"),
        text(tags::PATIENT_ID, VR::LO, "P-4"),
        text(tags::STUDY_DATE, VR::DA, "20260102"),
        text(tags::MODALITY, VR::CS, "MR"),
        text(tags::SERIES_DESCRIPTION, VR::LO, "t2_tse_sag"),
        short(tags::SAMPLES_PER_PIXEL, 1),
        text(tags::PHOTOMETRIC_INTERPRETATION, VR::CS, "MONOCHROME2"),
        short(tags::ROWS, height as u16),
        short(tags::COLUMNS, width as u16),
        short(tags::BITS_ALLOCATED, 16),
        short(tags::BITS_STORED, 16),
        short(tags::HIGH_BIT, 15),
        short(tags::PIXEL_REPRESENTATION, 0),
    ])
}

pub(crate) fn pixels(values: Vec<u16>) -> InMemElement {
    DataElement::new(tags::PIXEL_DATA, VR::OW, PrimitiveValue::U16(values.into()))
}

const TURNED: [f64; 6] = [0.0, 1.0, 0.0, 0.0, 0.0, -1.0];

fn place(shot: &Shot<'_>) -> InMemElement {
    decimals(tags::IMAGE_POSITION_PATIENT, &[shot.left, -100.0, 150.0])
}

pub(crate) fn save(object: InMemDicomObject, syntax: &str, path: &Path) {
    let meta = FileMetaTableBuilder::new().transfer_syntax(syntax);
    object.with_meta(meta).unwrap().write_to_file(path).unwrap();
}

/// Writes a slice as a file of its own.
pub(crate) fn classic(shot: &Shot<'_>, number: usize, path: &Path) {
    let mut object =
        series(uids::MR_IMAGE_STORAGE, &format!("1.2.826.0.1.7.1.{number}"), shot.size);
    for element in [
        decimals(tags::IMAGE_ORIENTATION_PATIENT, &TURNED),
        place(shot),
        decimals(tags::PIXEL_SPACING, &[shot.pixel, shot.pixel]),
        pixels(shot.values.to_vec()),
    ] {
        object.put(element);
    }
    save(object, uids::EXPLICIT_VR_LITTLE_ENDIAN, path);
}

/// Writes slices as the frames of one file.
fn enhanced(shots: &[Shot<'_>], path: &Path) {
    let first = &shots[0];
    let mut object = series(uids::ENHANCED_MR_IMAGE_STORAGE, "1.2.826.0.1.7.2", first.size);
    let spacing = decimals(tags::PIXEL_SPACING, &[first.pixel, first.pixel]);
    let turned = decimals(tags::IMAGE_ORIENTATION_PATIENT, &TURNED);
    let shared = of([
        sequence(tags::PIXEL_MEASURES_SEQUENCE, vec![of([spacing])]),
        sequence(tags::PLANE_ORIENTATION_SEQUENCE, vec![of([turned])]),
    ]);
    let own = |shot| of([sequence(tags::PLANE_POSITION_SEQUENCE, vec![of([place(shot)])])]);
    object.put(sequence(tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE, vec![shared]));
    let frames = shots.iter().map(own).collect();
    object.put(sequence(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE, frames));
    object.put(text(tags::NUMBER_OF_FRAMES, VR::IS, &shots.len().to_string()));
    object.put(pixels(shots.iter().flat_map(|shot| shot.values.to_vec()).collect()));
    save(object, uids::EXPLICIT_VR_LITTLE_ENDIAN, path);
}

const SIZE: [usize; 2] = [8, 160];

fn values(number: u16) -> Vec<u16> {
    (0..SIZE[0] * SIZE[1]).map(|at| number * 1000 + at as u16).collect()
}

fn shot(number: usize, values: &[u16]) -> Shot<'_> {
    Shot { size: SIZE, left: 4.4 * number as f64, pixel: 0.7, values }
}

#[test]
fn frames_of_one_file_are_the_slices_of_many() {
    let folder = tempfile::tempdir().unwrap();
    let all: Vec<Vec<u16>> = (0..4).map(values).collect();
    // Neither files nor frames are in the order of their places.
    let order = [2, 0, 3, 1];
    let shots: Vec<Shot<'_>> = order.iter().map(|&at| shot(at, &all[at])).collect();
    let several = folder.path().join("several");
    std::fs::create_dir(&several).unwrap();
    for (number, shot) in shots.iter().enumerate() {
        classic(shot, number, &several.join(format!("{number}.dcm")));
    }
    let one: PathBuf = folder.path().join("enhanced.dcm");
    enhanced(&shots, &one);
    let volumes = [several, one].map(|path| {
        let mut study = Study::read(&path).unwrap();
        assert!(study.refused.is_empty(), "{:?}", study.refused);
        assert_eq!(study.series.len(), 1);
        assert_eq!(study.series[0].kind, Kind::SagittalT2, "{}", study.series[0].reason);
        let stack = study.series.remove(0).stacks.remove(0);
        let sources = stack.slices.iter().flatten();
        let instances: Vec<_> = sources.filter_map(|source| source.instance.clone()).collect();
        assert_eq!(instances.len(), 4, "each slice knows its image");
        (stack.volume, instances)
    });
    assert_eq!(volumes[0].0, volumes[1].0);
    assert_eq!(volumes[0].0.geometry.size, [SIZE[0], SIZE[1], 4]);
    let firsts: Vec<f32> = (0..4).map(|k| volumes[0].0.slice(k)[0]).collect();
    assert!(
        [[0.0, 1000.0, 2000.0, 3000.0], [3000.0, 2000.0, 1000.0, 0.0]]
            .contains(&<[f32; 4]>::try_from(firsts).unwrap())
    );
    assert!(volumes[1].1.iter().all(|instance| instance.frame.is_some()));
}

/// 16 by 16 pixels: 60 above at the left, 0 below it, 200 at the right.
const JPEG: &str = "ffd8ffe000104a46494600010100000100010000ffdb004300020101010101020101010202020202\
                    0403020202020504040304060506060605060606070908060709070606080b08090a0a0a0a0a0608\
                    0b0c0b0a0c090a0a0affc0000b080010001001011100ffc400150001010000000000000000000000\
                    0000000a09ffc40014100100000000000000000000000000000000ffda0008010100003f009de460\
                    1be640ffd9";

#[test]
fn a_slice_that_is_packed_as_jpeg_is_read() {
    let hex: String = JPEG.split_whitespace().collect();
    let byte = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    let jpeg: Vec<u8> = (0..hex.len()).step_by(2).map(byte).collect();
    let mut object = series(uids::MR_IMAGE_STORAGE, "1.2.826.0.1.7.3", [16, 16]);
    for (tag, value) in [(tags::BITS_ALLOCATED, 8), (tags::BITS_STORED, 8), (tags::HIGH_BIT, 7)] {
        object.put(short(tag, value));
    }
    let shot = Shot { size: [16, 16], left: 0.0, pixel: 0.7, values: &[] };
    object.put(decimals(tags::IMAGE_ORIENTATION_PATIENT, &TURNED));
    object.put(place(&shot));
    object.put(decimals(tags::PIXEL_SPACING, &[0.7, 0.7]));
    let fragments = PixelFragmentSequence::new_fragments(vec![jpeg]);
    object.put(DataElement::new(tags::PIXEL_DATA, VR::OB, fragments));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jpeg.dcm");
    save(object, uids::JPEG_BASELINE8_BIT, &path);
    let study = Study::read(&path).unwrap();
    assert!(study.refused.is_empty(), "{:?}", study.refused);
    let volume = &study.series[0].stacks[0].volume;
    for (i, j, is) in [(3, 3, 60.0), (3, 12, 0.0), (12, 5, 200.0)] {
        let value = volume.at(i, j, 0);
        assert!((value - is).abs() < 3.0, "{i} {j}: {value}, not {is}");
    }
}
