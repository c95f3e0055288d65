//! What a network runs on.

use std::fmt;
use std::str::FromStr;

/// A processor or a GPU that this libtorch can use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Device(tch::Device);

/// Why a device cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say what each is")]
pub enum DeviceError {
    #[error("`{0}` is no device; write `cpu`, `cuda` or, for the second GPU, `cuda:1`")]
    Unknown(String),
    #[error(
        "this libtorch cannot use CUDA, or finds no GPU; use `cpu`, or build with $LIBTORCH set to a \
         libtorch for CUDA"
    )]
    NoCuda,
    #[error("there is no GPU {wanted}; this machine has {count}, counted from 0")]
    NoSuchGpu { wanted: usize, count: usize },
}

/// Lets each thread that runs a network compute alone. Right where several threads run networks
/// side by side.
pub fn work_on_one_thread() {
    tch::set_num_threads(1);
}

impl Device {
    /// The processor.
    pub const CPU: Self = Self(tch::Device::Cpu);

    /// As libtorch names it.
    pub const fn torch(self) -> tch::Device {
        self.0
    }

    /// What networks compute in on it. Processors that multiply brain floats do so several times as
    /// fast as full floats; where they must imitate it, it is slower.
    pub fn precision(self) -> tch::Kind {
        #[cfg(target_arch = "x86_64")]
        let has_brain_floats = std::arch::is_x86_feature_detected!("avx512bf16");
        #[cfg(not(target_arch = "x86_64"))]
        let has_brain_floats = false;
        match self.0.is_cuda() || has_brain_floats {
            true => tch::Kind::BFloat16,
            false => tch::Kind::Float,
        }
    }
}

impl FromStr for Device {
    type Err = DeviceError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let unknown = || DeviceError::Unknown(name.to_owned());
        let wanted = match name.split_once(':') {
            None if name == "cpu" => return Ok(Self::CPU),
            None if name == "cuda" => 0,
            Some(("cuda", number)) => number.parse().map_err(|_| unknown())?,
            _ => return Err(unknown()),
        };
        let count = usize::try_from(tch::Cuda::device_count()).unwrap_or(0);
        match count {
            0 => Err(DeviceError::NoCuda),
            _ if wanted < count => Ok(Self(tch::Device::Cuda(wanted))),
            _ => Err(DeviceError::NoSuchGpu { wanted, count }),
        }
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            tch::Device::Cuda(number) => write!(f, "cuda:{number}"),
            _ => f.write_str("cpu"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_goes_by_its_name() {
        assert_eq!("cpu".parse(), Ok(Device::CPU));
        assert_eq!(Device::CPU.to_string(), "cpu");
        for wrong in ["gpu", "cpu:0", "cuda:x", "cuda:-1", ""] {
            assert_eq!(wrong.parse::<Device>(), Err(DeviceError::Unknown(wrong.to_owned())));
        }
        if tch::Cuda::device_count() == 0 {
            assert_eq!("cuda".parse::<Device>(), Err(DeviceError::NoCuda));
        }
    }
}
