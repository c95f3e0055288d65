//! Any bytes as a file of a study: no panic that anyone hears of, no allocation without bound, and what is
//! read has as many values as voxels. `cargo +nightly fuzz run imaging`.

#![no_main]

use std::io::Cursor;
use std::panic::set_hook;
use std::sync::Once;

use deepspine::imaging::{dicom, metaimage, nifti};
use libfuzzer_sys::fuzz_target;

/// Decoders of others may panic, which readers answer by refusing the file; the fuzzer's own hook would
/// end the run there. A panic that nobody catches still ends it.
static HOOK: Once = Once::new();

fuzz_target!(|bytes: &[u8]| {
    HOOK.call_once(|| set_hook(Box::new(|_| ())));
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
