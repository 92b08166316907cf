//! The little of protocol buffers that the messages need: numbers and byte strings.

use crate::Error;

/// Fields of a message; a field that comes twice counts as it came last.
#[derive(Debug, Default)]
pub(crate) struct Fields<'a> {
    numbers: [Option<u32>; 8],
    strings: [Option<&'a [u8]>; 8],
}

impl<'a> Fields<'a> {
    /// Reads. Fields with numbers over 7 and of other types are passed over.
    pub(crate) fn read(mut data: &'a [u8]) -> Result<Self, Error> {
        let mut fields = Self::default();
        while !data.is_empty() {
            let tag = varint(&mut data)?;
            let place = usize::try_from(tag >> 3).map_err(|_| Error::Malformed)?;
            match tag & 7 {
                0 => {
                    let value = varint(&mut data)?;
                    if let Some(slot) = fields.numbers.get_mut(place) {
                        *slot = Some(u32::try_from(value).map_err(|_| Error::Malformed)?);
                    }
                }
                1 => {
                    take(&mut data, 8)?;
                }
                2 => {
                    let len = usize::try_from(varint(&mut data)?).map_err(|_| Error::Malformed)?;
                    let value = take(&mut data, len)?;
                    if let Some(slot) = fields.strings.get_mut(place) {
                        *slot = Some(value);
                    }
                }
                5 => {
                    take(&mut data, 4)?;
                }
                _ => return Err(Error::Malformed),
            }
        }
        Ok(fields)
    }

    /// A number that must be there.
    pub(crate) fn number(&self, field: usize) -> Result<u32, Error> {
        self.numbers.get(field).copied().flatten().ok_or(Error::Malformed)
    }

    /// A byte string that must be there.
    pub(crate) fn bytes(&self, field: usize) -> Result<&'a [u8], Error> {
        self.strings.get(field).copied().flatten().ok_or(Error::Malformed)
    }
}

fn varint(data: &mut &[u8]) -> Result<u64, Error> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let (first, rest) = data.split_first().ok_or(Error::Malformed)?;
        *data = rest;
        value |= u64::from(first & 0x7f).checked_shl(shift).ok_or(Error::Malformed)?;
        if first & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(Error::Malformed)
}

fn take<'a>(data: &mut &'a [u8], len: usize) -> Result<&'a [u8], Error> {
    let (value, rest) = data.split_at_checked(len).ok_or(Error::Malformed)?;
    *data = rest;
    Ok(value)
}

/// Writes a number.
pub(crate) fn put_number(out: &mut Vec<u8>, field: u8, value: u32) {
    out.push(field << 3);
    put_varint(out, u64::from(value));
}

/// Writes a byte string.
pub(crate) fn put_bytes(out: &mut Vec<u8>, field: u8, value: &[u8]) {
    out.push((field << 3) | 2);
    put_varint(out, value.len() as u64);
    out.extend_from_slice(value);
}

fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

#[cfg(test)]
mod tests {
    use super::{Fields, put_bytes, put_number};
    use crate::Error;

    #[test]
    fn what_was_written_is_read() {
        let mut data = Vec::new();
        put_number(&mut data, 1, 0);
        put_number(&mut data, 2, u32::MAX);
        put_bytes(&mut data, 3, &[7; 300]);
        let fields = Fields::read(&data).expect("valid");
        assert_eq!(fields.number(1), Ok(0));
        assert_eq!(fields.number(2), Ok(u32::MAX));
        assert_eq!(fields.bytes(3), Ok(&[7u8; 300][..]));
        assert_eq!(fields.bytes(4), Err(Error::Malformed));
    }

    #[test]
    fn broken_lengths_and_endless_numbers_are_refused() {
        for data in [&[0x1a, 0xff, 0x7f][..], &[0x08], &[0x08; 1], &[0xff; 30], &[0x0b, 0x00]] {
            assert_eq!(Fields::read(data).err(), Some(Error::Malformed), "{data:?}");
        }
        assert_eq!(
            Fields::read(&[0x08, 0xff, 0xff, 0xff, 0xff, 0x7f]).err(),
            Some(Error::Malformed)
        );
    }
}
