//! Numbers as files of volumes hold them.

use std::io::{self, Read};

use super::bytes::exactly;

/// How a file writes one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "they are Rust's own names")]
pub(super) enum Sample {
    U8,
    I8,
    U16,
    I16,
    U32,
    I32,
    F32,
    F64,
}

impl Sample {
    pub(super) const fn bytes(self) -> usize {
        match self {
            Self::U8 | Self::I8 => 1,
            Self::U16 | Self::I16 => 2,
            Self::U32 | Self::I32 | Self::F32 => 4,
            Self::F64 => 8,
        }
    }

    /// So many values. Their bytes are let go as they are read, as they may be twice as many.
    ///
    /// # Errors
    /// Where the stream ends before.
    pub(super) fn read(
        self,
        reader: &mut impl Read,
        count: usize,
        big_endian: bool,
    ) -> io::Result<Vec<f32>> {
        let mut values = Vec::new();
        while values.len() < count {
            let some = (count - values.len()).min(1 << 16);
            values.extend(self.decode(&exactly(reader, some * self.bytes())?, big_endian));
        }
        Ok(values)
    }

    /// The values in a run of bytes; what is left over at its end is none.
    fn decode(self, bytes: &[u8], big_endian: bool) -> Vec<f32> {
        macro_rules! numbers {
            ($number:ty) => {
                bytes
                    .chunks_exact(size_of::<$number>())
                    .map(|chunk| {
                        let bytes = chunk.try_into().expect("chunks have this length");
                        let number = match big_endian {
                            true => <$number>::from_be_bytes(bytes),
                            false => <$number>::from_le_bytes(bytes),
                        };
                        number as f32
                    })
                    .collect()
            };
        }
        match self {
            Self::U8 => numbers!(u8),
            Self::I8 => numbers!(i8),
            Self::U16 => numbers!(u16),
            Self::I16 => numbers!(i16),
            Self::U32 => numbers!(u32),
            Self::I32 => numbers!(i32),
            Self::F32 => numbers!(f32),
            Self::F64 => numbers!(f64),
        }
    }
}

/// Makes what is no number, as programs write where there is no image, as dark as the darkest one.
pub(super) fn darken_no_numbers(values: &mut [f32]) {
    let numbers = values.iter().copied().filter(|value| value.is_finite());
    let darkest = numbers.reduce(f32::min).unwrap_or(0.0);
    values.iter_mut().filter(|value| !value.is_finite()).for_each(|value| *value = darkest);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_in_either_order_of_bytes() {
        assert_eq!(Sample::I16.decode(&[0xff, 0xfe, 0x01], true), [-2.0]);
        assert_eq!(Sample::I16.decode(&[0xfe, 0xff, 0x02, 0x00], false), [-2.0, 2.0]);
        assert_eq!(Sample::F64.decode(&1.5f64.to_be_bytes(), true), [1.5]);
        assert_eq!(Sample::U8.decode(&[7, 200], false), [7.0, 200.0]);
        let many = vec![1; 200_000];
        assert_eq!(Sample::U8.read(&mut &many[..], 150_000, false).unwrap().len(), 150_000);
        assert!(Sample::U16.read(&mut &many[..], 150_000, false).is_err());
    }

    #[test]
    fn what_is_no_number_is_as_dark_as_the_darkest_number() {
        let mut values = [f32::NAN, 7.0, f32::NEG_INFINITY, -3.0, f32::INFINITY];
        darken_no_numbers(&mut values);
        assert_eq!(values, [-3.0, 7.0, -3.0, -3.0, -3.0]);
        let mut none = [f32::NAN; 2];
        darken_no_numbers(&mut none);
        assert_eq!(none, [0.0; 2]);
    }
}
