//! Studies as they are in the world: files of other programs, read where they lie. The real ones
//! are not part of the project; where they are not at hand their tests say so and do nothing.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use deepspine::imaging::{Geometry, Kind, Mask, Study, nifti};

/// A folder of real images, where it is at hand.
fn real(name: &str) -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/mri").join(name);
    if !folder.is_dir() {
        eprintln!("skipped: no {} at hand", folder.display());
        return None;
    }
    Some(folder)
}

fn refused(study: &Study) -> Vec<String> {
    study.refused.iter().map(|refusal| format!("{}: {}", refusal.file, refusal.reason)).collect()
}

#[test]
fn every_encoding_of_a_slice_is_the_same_slice() {
    let Some(folder) = real("dicom") else { return };
    let read = |name: &str| {
        let study = Study::read(&folder.join(name)).unwrap();
        assert!(study.refused.is_empty(), "{name}: {:?}", refused(&study));
        study.series.into_iter().next().unwrap().stacks.remove(0).volume
    };
    let plain = read("MR_small.dcm");
    assert_eq!(plain.geometry.size, [64, 64, 1]);
    assert!(plain.values.iter().any(|value| *value > 100.0));
    for name in [
        "MR_small_RLE.dcm",
        "MR_small_bigendian.dcm",
        "MR_small_expb.dcm",
        "MR_small_implicit.dcm",
        "MR_small_jp2klossless.dcm",
        "MR_small_padded.dcm",
    ] {
        assert!(read(name) == plain, "{name} shows something else");
    }
    if cfg!(feature = "jpeg-ls") {
        assert!(read("MR_small_jpeg_ls_lossless.dcm") == plain);
    }
}

#[test]
fn what_cannot_be_read_is_named_with_its_reason() {
    let Some(folder) = real("dicom") else { return };
    let reason = |name: &str| {
        let study = Study::read(&folder.join(name)).unwrap();
        assert!(study.series.is_empty());
        refused(&study).join("\n")
    };
    let secondary = reason("spine-ls.dcm");
    assert!(secondary.contains("secondary capture"), "{secondary}");
    assert!(reason("MR_truncated.dcm").starts_with("MR_truncated.dcm: "));
    if !cfg!(feature = "jpeg-ls") {
        let jpeg_ls = reason("MR_small_jpeg_ls_lossless.dcm");
        assert!(jpeg_ls.contains("--features jpeg-ls"), "{jpeg_ls}");
    }
    // A folder loses nothing of what can be read.
    let study = Study::read(&folder).unwrap();
    assert!(!study.series.is_empty());
    assert!(refused(&study).iter().any(|line| line.starts_with("spine-ls.dcm: ")));
}

#[test]
fn real_volumes_have_their_head_up() {
    let Some(folder) = real("volumes") else { return };
    for (name, size) in [
        ("vb2_05_img.nii.gz", [381, 381, 77]),
        ("ivd_11_img.nii.gz", [221, 221, 67]),
        ("sct_t2_lumbar.nii.gz", [0; 3]),
        ("sub-mri_label-6_T2w.nii.gz", [0; 3]),
    ] {
        let study = Study::read(&folder.join(name)).unwrap();
        assert!(study.refused.is_empty(), "{name}: {:?}", refused(&study));
        let series = &study.series[0];
        let geometry = series.stacks[0].volume.geometry;
        let [left, _, up] = geometry.nearest_axes();
        assert_eq!(up, (1, true), "{name}: rows lead down");
        assert_eq!(left.0, 2, "{name}: slices from side to side");
        if size != [0; 3] {
            assert_eq!(geometry.size, size, "{name}");
            assert_eq!(series.kind, Kind::SagittalT2, "{name}: {}", series.reason);
        }
    }
}

#[test]
fn a_zip_is_a_folder() {
    let Some(folder) = real("dicom") else { return };
    let packed = tempfile::NamedTempFile::with_suffix(".zip").unwrap();
    let mut zip = zip::ZipWriter::new(packed.as_file());
    let options = zip::write::SimpleFileOptions::default();
    for name in ["MR_small.dcm", "spine-ls.dcm"] {
        zip.start_file(format!("study/{name}"), options).unwrap();
        zip.write_all(&std::fs::read(folder.join(name)).unwrap()).unwrap();
    }
    zip.finish().unwrap();
    let study = Study::read(packed.path()).unwrap();
    assert_eq!(study.series.len(), 1);
    assert!(refused(&study)[0].starts_with("study/spine-ls.dcm: "));
    std::fs::write(packed.path(), "no zip").unwrap();
    assert!(Study::read(packed.path()).unwrap_err().to_string().contains("is no zip archive"));
}

#[test]
fn a_file_cut_anywhere_or_with_any_byte_changed_never_ends_a_run() {
    let Some(folder) = real("dicom") else { return };
    let scratch = tempfile::tempdir().unwrap();
    let mut random = fastrand::Rng::with_seed(11);
    for name in ["MR_small.dcm", "MR_small_RLE.dcm", "MR_small_jp2klossless.dcm"] {
        let bytes = std::fs::read(folder.join(name)).unwrap();
        for _ in 0..60 {
            let mut hurt = bytes.clone();
            if random.bool() {
                hurt.truncate(random.usize(..bytes.len()));
            }
            for _ in 0..random.usize(..4) {
                let at = random.usize(..hurt.len().max(1));
                if let Some(byte) = hurt.get_mut(at) {
                    *byte = random.u8(..);
                }
            }
            let path = scratch.path().join("hurt.dcm");
            std::fs::write(&path, &hurt).unwrap();
            let study = Study::read(&path).unwrap();
            assert!(study.series.len() + study.refused.len() == 1);
        }
    }
}

#[test]
fn a_volume_cut_anywhere_or_with_any_byte_changed_never_ends_a_run() {
    let steps = [[0.0, 0.7, 0.0], [0.0, 0.0, -0.7], [4.0, 0.0, 0.0]];
    let geometry = Geometry::new([20, 30, 4], [0.0; 3], steps).unwrap();
    let mut packed = Vec::new();
    nifti::write(&Mask::filled(geometry, 7), &mut packed).unwrap();
    let mut plain = Vec::new();
    flate2::read::GzDecoder::new(packed.as_slice()).read_to_end(&mut plain).unwrap();
    let header = "ObjectType = Image\nNDims = 3\nDimSize = 20 30 4\nElementSpacing = 0.7 0.7 4\n\
                  Offset = 0 0 0\nTransformMatrix = 0 1 0 0 0 -1 1 0 0\n\
                  ElementType = MET_UCHAR\nElementDataFile = LOCAL\n";
    let image = [header.as_bytes(), &[7; 2400]].concat();
    let scratch = tempfile::tempdir().unwrap();
    let mut random = fastrand::Rng::with_seed(12);
    for (name, bytes, head) in
        [("a.nii", &plain, 352), ("a.nii.gz", &packed, 40), ("a.mha", &image, header.len())]
    {
        let path = scratch.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        assert_eq!(Study::read(&path).unwrap().series.len(), 1, "{name} is read as it is");
        for _ in 0..150 {
            let mut hurt = bytes.clone();
            if random.u8(..) < 60 {
                hurt.truncate(random.usize(..bytes.len()));
            }
            for _ in 0..random.usize(1..5) {
                // What is said of voxels hurts more than voxels.
                let at = random.usize(..head);
                if let Some(byte) = hurt.get_mut(at) {
                    *byte = random.u8(..);
                }
            }
            std::fs::write(&path, &hurt).unwrap();
            let study = Study::read(&path).unwrap();
            assert!(study.series.len() + study.refused.len() == 1, "{name}");
        }
    }
}

#[test]
fn a_path_without_files_is_told_of() {
    let folder = tempfile::tempdir().unwrap();
    let empty = Study::read(folder.path()).unwrap_err().to_string();
    assert!(empty.contains("holds no file"), "{empty}");
    assert!(Study::read(&folder.path().join("none")).is_err());
}
