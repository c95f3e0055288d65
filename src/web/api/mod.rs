//! What programs may ask, under `/api/v1`. The pages' scripts use the same.

pub(super) mod batches;
pub(super) mod labels;
pub(super) mod openapi;
pub(super) mod search;
pub(super) mod slots;
pub(super) mod studies;
