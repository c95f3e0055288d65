//! Any bytes as a file of a study: no panic, no allocation without bound, and what is read has as many
//! values as voxels. `cargo +nightly fuzz run imaging`.

#![no_main]

use std::io::Cursor;

use deepspine::imaging::{dicom, metaimage, nifti};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some((kind, bytes)) = bytes.split_first() else { return };
    match kind % 3 {
        0 => {
            if let Ok((_, slices)) = dicom::read(bytes, "fuzzed.dcm") {
                for slice in slices {
                    assert_eq!(slice.values.len(), slice.plane.size[0] * slice.plane.size[1]);
                }
            }
        }
        1 => {
            if let Ok(volume) = nifti::read(&mut Cursor::new(bytes)) {
                assert_eq!(volume.values.len(), volume.geometry.count());
            }
        }
        _ => {
            if let Ok(volume) = metaimage::read_from(&mut Cursor::new(bytes)) {
                assert_eq!(volume.values.len(), volume.geometry.count());
            }
        }
    }
});
