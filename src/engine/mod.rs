//! The networks. Everything that needs libtorch stands here and in `learn`.

mod convolution;
mod device;
pub mod encoder;
pub mod grader;
pub mod unet;
mod weights;

pub use device::{Device, DeviceError, work_on_one_thread};
pub use weights::{WeightsError, content_hash, load, save};
