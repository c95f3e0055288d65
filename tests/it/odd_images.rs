//! Images and studies that are unlike most, made here: pixels that are stored in other ways, headers
//! that claim what is not so, folders with more or less than a study.

use std::fs;
use std::io::Write;
use std::path::Path;

use deepspine::imaging::{Geometry, Kind, Mask, Series, Study, nifti};
#[cfg(feature = "neural")]
use deepspine::pipeline::study::segment;
use dicom_core::value::DataSetSequence;
use dicom_core::{DataElement, PrimitiveValue, Tag, VR};
use dicom_dictionary_std::{tags, uids};
use dicom_object::InMemDicomObject;
use dicom_object::mem::InMemElement;

use super::scanner::{decimals, pixels, save, series, text};

fn word(tag: Tag, value: u16) -> InMemElement {
    DataElement::new(tag, VR::US, PrimitiveValue::from(value))
}

fn double(tag: Tag, value: f64) -> InMemElement {
    DataElement::new(tag, VR::FD, PrimitiveValue::from(value))
}

fn sequence(tag: Tag, elements: impl IntoIterator<Item = InMemElement>) -> InMemElement {
    let item = InMemDicomObject::from_element_iter(elements);
    DataElement::new(tag, VR::SQ, DataSetSequence::from(vec![item]))
}

/// Writes a sagittal slice that is so far to the left, with these elements in place of the usual ones.
fn slice(
    left: f64,
    [width, height]: [usize; 2],
    values: Vec<u16>,
    other: impl IntoIterator<Item = InMemElement>,
    path: &Path,
) {
    let mut object =
        series(uids::MR_IMAGE_STORAGE, &format!("1.2.826.0.1.8.{left}"), [width, height]);
    object.put(decimals(tags::IMAGE_ORIENTATION_PATIENT, &[0.0, 1.0, 0.0, 0.0, 0.0, -1.0]));
    object.put(decimals(tags::IMAGE_POSITION_PATIENT, &[left, -100.0, 150.0]));
    object.put(decimals(tags::PIXEL_SPACING, &[0.7, 0.7]));
    object.put(pixels(values));
    object.extend(other);
    save(object, uids::EXPLICIT_VR_LITTLE_ENDIAN, path);
}

/// What is read of a file of four pixels, or why nothing is.
fn read(values: [u16; 4], other: impl IntoIterator<Item = InMemElement>) -> Result<Series, String> {
    let folder = tempfile::tempdir().unwrap();
    slice(0.0, [2, 2], values.to_vec(), other, &folder.path().join("a.dcm"));
    let mut study = Study::read(folder.path()).unwrap();
    match study.refused.pop() {
        Some(refusal) => Err(refusal.reason.to_string()),
        None => Ok(study.series.remove(0)),
    }
}

/// What a header says, the pixels after it, and how bright they are.
type Stored = (&'static str, Vec<InMemElement>, [u16; 4], [f32; 4]);

#[test]
fn pixels_are_as_bright_as_their_header_says() {
    let inverted = || text(tags::PHOTOMETRIC_INTERPRETATION, VR::CS, "MONOCHROME1");
    let scaled =
        || vec![decimals(tags::RESCALE_SLOPE, &[2.0]), decimals(tags::RESCALE_INTERCEPT, &[-10.0])];
    let signed = || word(tags::PIXEL_REPRESENTATION, 1);
    let twelve = || vec![signed(), word(tags::BITS_STORED, 12), word(tags::HIGH_BIT, 11)];
    let padded = |value| word(tags::PIXEL_PADDING_VALUE, value);
    let limit = |value| word(tags::PIXEL_PADDING_RANGE_LIMIT, value);
    let cases: [Stored; 10] = [
        ("as they are", vec![], [0, 1, 2, 60_000], [0.0, 1.0, 2.0, 60_000.0]),
        ("inverted", vec![inverted()], [0, 1, 2, 40], [0.0, -1.0, -2.0, -40.0]),
        ("scaled", scaled(), [0, 1, 2, 40], [-10.0, -8.0, -6.0, 70.0]),
        ("both", [scaled(), vec![inverted()]].concat(), [0, 1, 2, 40], [10.0, 8.0, 6.0, -70.0]),
        ("signed", vec![signed()], [0xFFFE, 0x8000, 0, 5], [-2.0, -32768.0, 0.0, 5.0]),
        ("signed, of 12 bits", twelve(), [0x0FFF, 0x0800, 0x07FF, 5], [-1.0, -2048.0, 2047.0, 5.0]),
        ("padded", vec![padded(0)], [0, 5, 9, 7], [5.0, 5.0, 9.0, 7.0]),
        ("padded up to", vec![padded(0), limit(5)], [0, 3, 6, 9], [6.0, 6.0, 6.0, 9.0]),
        (
            "padded and signed",
            vec![signed(), padded(0x8000)],
            [0x8000, 0xFFFF, 3, 4],
            [-1.0, -1.0, 3.0, 4.0],
        ),
        (
            "padded and inverted",
            vec![inverted(), padded(4095)],
            [4095, 10, 20, 30],
            [-30.0, -10.0, -20.0, -30.0],
        ),
    ];
    for (name, other, stored, bright) in cases {
        assert_eq!(read(stored, other).unwrap().stacks[0].volume.values, bright, "{name}");
    }
}

#[test]
fn frames_and_sizes_that_cannot_be_are_refused_before_memory_is_taken() {
    let frames = |count: &str| text(tags::NUMBER_OF_FRAMES, VR::IS, count);
    let one = || [word(tags::ROWS, 1), word(tags::COLUMNS, 1)];
    let many = read([0; 4], one().into_iter().chain([frames("268435456")])).unwrap_err();
    assert!(many.contains("268435456 frames is larger"), "{many}");
    let more = read([0; 4], one().into_iter().chain([frames("5")])).unwrap_err();
    assert!(more.contains("claims 5 frames but holds the pixels of 4"), "{more}");
    let spaced = |mm: f64| read([0; 4], [decimals(tags::PIXEL_SPACING, &[mm, mm])]).unwrap();
    assert!(spaced(0.7).stacks[0].volume.geometry.spacing()[0] == 0.7);
    for mm in [0.001, 50_000.0] {
        let series = spaced(mm);
        assert_eq!(series.kind, Kind::Other);
        assert!(series.reason.contains("another unit"), "{}", series.reason);
    }
}

#[test]
fn how_a_series_was_made_is_read_from_its_frames_too() {
    let agent = |name: &str| text(tags::CONTRAST_BOLUS_AGENT, VR::LO, name);
    for (name, is) in
        [("Gadovist", true), ("NONE", false), ("No ", false), ("n", false), ("", false)]
    {
        let series = read([0; 4], [agent(name)]).unwrap();
        assert_eq!(series.protocol.contrast_agent.is_some(), is, "{name}");
    }
    let own = |given: &str| {
        let timing = tags::MR_TIMING_AND_RELATED_PARAMETERS_SEQUENCE;
        let given = text(tags::CONTRAST_BOLUS_AGENT_ADMINISTERED, VR::CS, given);
        let groups = [
            sequence(tags::MR_ECHO_SEQUENCE, [double(tags::EFFECTIVE_ECHO_TIME, 95.0)]),
            sequence(timing, [double(tags::REPETITION_TIME, 3500.0)]),
            sequence(tags::MR_MODIFIER_SEQUENCE, [double(tags::INVERSION_TIMES, 160.0)]),
            sequence(tags::CONTRAST_BOLUS_USAGE_SEQUENCE, [given]),
        ];
        let meaning = text(tags::CODE_MEANING, VR::LO, "Gadolinium");
        [
            sequence(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE, groups),
            sequence(tags::CONTRAST_BOLUS_AGENT_SEQUENCE, [meaning]),
        ]
    };
    let protocol = read([0; 4], own("YES")).unwrap().protocol;
    assert_eq!(protocol.echo_time, Some(95.0));
    assert_eq!(protocol.repetition_time, Some(3500.0));
    assert_eq!(protocol.inversion_time, Some(160.0));
    assert_eq!(protocol.contrast_agent.as_deref(), Some("Gadolinium"));
    assert_eq!(read([0; 4], own("NO")).unwrap().protocol.contrast_agent, None);
}

/// Packs a folder's files.
fn packed(folder: &Path) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::with_suffix(".zip").unwrap();
    let mut zip = zip::ZipWriter::new(file.as_file());
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(&fs::read(&path).unwrap()).unwrap();
    }
    zip.finish().unwrap();
    file
}

#[test]
fn several_studies_or_patients_are_never_taken_for_one() {
    let study = |uid: &str| text(tags::STUDY_INSTANCE_UID, VR::UI, uid);
    let patient = |id: &str| text(tags::PATIENT_ID, VR::LO, id);
    let cases = [
        (study("1.2.826.0.1.7"), true),
        (study(""), true),
        (patient(""), true),
        (study("1.2.826.0.1.6"), false),
        (patient("P-5"), false),
    ];
    for (other, is_one) in cases {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        slice(0.0, [2, 2], vec![0; 4], [], &path("a.dcm"));
        slice(4.0, [2, 2], vec![1; 4], [other], &path("b.dcm"));
        fs::write(path("notes.txt"), "of another study").unwrap();
        let zip = packed(folder.path());
        for path in [folder.path(), zip.path()] {
            let read = Study::read(path).map_err(|error| error.to_string());
            match read {
                Ok(study) => assert!(is_one && study.refused.len() == 1),
                Err(why) => {
                    assert!(!is_one && why.contains("holds 2 studies"), "{why}");
                    assert!(why.contains("--each"), "{why}");
                }
            }
        }
    }
}

#[cfg(unix)]
#[test]
fn links_are_followed_and_lead_round_in_no_circle() {
    use std::os::unix::fs::symlink;
    let store = tempfile::tempdir().unwrap();
    let folder = tempfile::tempdir().unwrap();
    slice(0.0, [2, 2], vec![0; 4], [], &store.path().join("key-1"));
    slice(4.0, [2, 2], vec![1; 4], [], &store.path().join("key-2"));
    // As git-annex has them: a file is a link into a hidden folder.
    let hidden = folder.path().join(".git");
    fs::create_dir(&hidden).unwrap();
    fs::rename(store.path().join("key-1"), hidden.join("key-1")).unwrap();
    symlink(".git/key-1", folder.path().join("a.dcm")).unwrap();
    symlink(store.path(), folder.path().join("series")).unwrap();
    symlink(folder.path(), store.path().join("round")).unwrap();
    symlink("not there", folder.path().join("lost.dcm")).unwrap();
    let study = Study::read(folder.path()).unwrap();
    assert_eq!(study.series[0].stacks[0].slices.len(), 2);
    let refused: Vec<&str> = study.refused.iter().map(|refusal| &*refusal.file).collect();
    assert_eq!(refused, ["lost.dcm"]);
}

/// Writes a volume with voxels of these lengths from side to side, front to back and foot to head.
fn volume([left, back, up]: [f64; 3], path: &Path) {
    let steps = [[0.0, 0.0, -up], [left, 0.0, 0.0], [0.0, back, 0.0]];
    let geometry = Geometry::new([160, 20, 20], [0.0; 3], steps).unwrap();
    nifti::write(&Mask::filled(geometry, 7), fs::File::create(path).unwrap()).unwrap();
}

#[test]
fn a_volume_is_cut_across_its_coarse_axis() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spine.nii.gz");
    for (spacing, kind, size) in [
        ([1.0, 1.0, 1.0], Kind::SagittalT2, [20, 160, 20]),
        ([4.0, 0.7, 0.7], Kind::SagittalT2, [20, 160, 20]),
        ([0.9, 1.0, 1.0], Kind::SagittalT2, [20, 160, 20]),
        ([0.7, 4.0, 0.7], Kind::Other, [20, 160, 20]),
        ([0.7, 0.7, 4.0], Kind::AxialT2, [20, 20, 160]),
    ] {
        volume(spacing, &path);
        let study = Study::read(&path).unwrap();
        let series = &study.series[0];
        assert_eq!(series.kind, kind, "{spacing:?}: {}", series.reason);
        assert_eq!(series.stacks[0].volume.geometry.size, size, "{spacing:?}");
        assert_eq!(series.reason.contains("coronal"), kind == Kind::Other);
    }
}

#[cfg(feature = "neural")]
#[test]
fn a_study_without_a_series_to_read_says_why_of_each() {
    let folder = tempfile::tempdir().unwrap();
    volume([0.7, 4.0, 0.7], &folder.path().join("front.nii.gz"));
    volume([0.7, 0.7, 4.0], &folder.path().join("across.nii.gz"));
    let study = Study::read(folder.path()).unwrap();
    let why = segment(&study, |_| unreachable!("nothing is to be read")).unwrap_err().to_string();
    assert!(why.contains("`front.nii.gz` is not used: it is coronal"), "{why}");
    assert!(why.contains("`across.nii.gz` is not used: it is axial"), "{why}");
}

#[cfg(feature = "neural")]
#[test]
fn a_study_that_fails_tells_of_its_refused_files_too() {
    let scratch = tempfile::tempdir().unwrap();
    let path = |name: &str| scratch.path().join(name);
    fs::create_dir(path("one")).unwrap();
    volume([0.7, 4.0, 0.7], &path("one/front.nii.gz"));
    volume([0.7, 4.0, 0.7], &path("one.nii.gz"));
    fs::write(path("one/notes.txt"), "no image").unwrap();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_deepspine"))
        .args(["segment".as_ref(), "--masks".as_ref(), scratch.path(), "-o".as_ref()])
        .args([path("made"), path("one")])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("`front.nii.gz` is not used: it is coronal"), "{said}");
    assert!(said.contains("`notes.txt` is refused: it is no DICOM file (0 more)"), "{said}");
}

#[test]
fn a_volume_of_two_files_is_named_in_an_archive_and_holes_are_dark() {
    let header = "ObjectType = Image\nNDims = 3\nDimSize = 2 1 1\nElementSpacing = 1 1 1\n\
                  Offset = 0 0 0\nTransformMatrix = 1 0 0 0 1 0 0 0 1\n\
                  ElementType = MET_FLOAT\nElementDataFile = ";
    let folder = tempfile::tempdir().unwrap();
    let values = [f32::NAN, -4.0].map(f32::to_le_bytes).concat();
    fs::write(folder.path().join("two.mhd"), format!("{header}two.raw\n")).unwrap();
    fs::write(folder.path().join("two.raw"), &values).unwrap();
    let read = Study::read(&folder.path().join("two.mhd")).unwrap();
    assert_eq!(read.series[0].stacks[0].volume.values, [-4.0; 2]);
    let study = Study::read(packed(folder.path()).path()).unwrap();
    let refused = study.refused.iter().find(|refusal| refusal.file == "two.mhd").unwrap();
    assert!(refused.reason.to_string().contains("unpack"), "{}", refused.reason);
}
