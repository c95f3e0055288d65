//! Rights of folders that hold patients' data.

use std::fs::DirBuilder;

/// What makes folders that only their owner can look into, as all are made that hold patients' data.
pub fn owner_only() -> DirBuilder {
    #[allow(unused_mut, reason = "elsewhere there are no such rights")]
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder
}
