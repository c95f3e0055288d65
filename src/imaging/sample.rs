//! Numbers as files of volumes hold them.

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

    /// The values in a run of bytes; what is left over at its end is none.
    pub(super) fn decode(self, bytes: &[u8], big_endian: bool) -> Vec<f32> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_in_either_order_of_bytes() {
        assert_eq!(Sample::I16.decode(&[0xff, 0xfe, 0x01], true), [-2.0]);
        assert_eq!(Sample::I16.decode(&[0xfe, 0xff, 0x02, 0x00], false), [-2.0, 2.0]);
        assert_eq!(Sample::F64.decode(&1.5f64.to_be_bytes(), true), [1.5]);
        assert_eq!(Sample::U8.decode(&[7, 200], false), [7.0, 200.0]);
    }
}
