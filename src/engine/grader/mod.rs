//! The network that grades levels: what is cut out around a disc in, how probable each grade is for
//! each target out.

mod answers;
mod calibration;
mod config;
mod input;
mod judge;
mod network;
mod place;

pub use answers::{Look, answers};
pub use calibration::{Calibration, CalibrationError, TypeCalibration};
pub use config::{AxialConfig, Config, Inputs, SagittalConfig, Scale};
pub use input::{Input, View, Views, unit};
pub use judge::{Graded, Grader, GraderError};
pub use network::{Features, Network};
pub use place::Place;
