//! Files as bytes, plain or compressed, never more of them than asked for.

use std::io::{self, BufReader, Read};

use flate2::read::MultiGzDecoder;

/// Bytes, decompressed where they begin as gzip does.
pub(super) fn unpacked<'a>(mut packed: impl Read + 'a) -> io::Result<Box<dyn Read + 'a>> {
    let mut begins = [0; 2];
    let read = read_up_to(&mut packed, &mut begins)?;
    let whole = io::Cursor::new(begins[..read].to_vec()).chain(packed);
    Ok(match begins == [0x1f, 0x8b] {
        true => Box::new(BufReader::new(MultiGzDecoder::new(whole))),
        false => Box::new(whole),
    })
}

/// Exactly so many bytes; memory grows with what really comes, whatever a header says.
///
/// # Errors
/// Where the stream ends before.
pub(super) fn exactly(reader: &mut impl Read, count: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(count as u64).read_to_end(&mut bytes)?;
    match bytes.len() == count {
        true => Ok(bytes),
        false => Err(io::Error::new(
            io::ErrorKind::UnexpectedEof,
            format!("it ends after {} of {count} bytes", bytes.len()),
        )),
    }
}

fn read_up_to(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut read = 0;
    while read < buffer.len() {
        match reader.read(&mut buffer[read..])? {
            0 => break,
            more => read += more,
        }
    }
    Ok(read)
}
