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

/// No file of a study is larger, packed or not.
const LARGEST: u64 = 1 << 30;

/// All bytes of a file that begins with these; none where they are more than any file of a study has.
pub(super) fn whole(mut begins: Vec<u8>, rest: impl Read) -> io::Result<Option<Vec<u8>>> {
    rest.take(LARGEST).read_to_end(&mut begins)?;
    Ok((begins.len() as u64 <= LARGEST).then_some(begins))
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
        false => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it ends too early")),
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
