//! The pages, a file each.

pub(super) mod account;
pub(super) mod adjudicate;
pub(super) mod agreement;
pub(super) mod audit;
pub(super) mod batch;
pub(super) mod batches;
mod chart;
pub(super) mod cohorts;
pub(super) mod guideline;
pub(super) mod home;
pub(super) mod images;
pub(super) mod report;
pub(super) mod review;
pub(super) mod search;
pub(super) mod sign_in;
pub(super) mod suggestions;
pub(super) mod users;
