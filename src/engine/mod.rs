//! The networks. Everything that needs libtorch stands here and in `learn`.

mod device;
pub mod encoder;
mod weights;

pub use device::{Device, DeviceError};
pub use weights::{WeightsError, load, save};
