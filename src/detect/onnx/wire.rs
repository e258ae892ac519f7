//! The wire format of Protocol Buffers: a message is a sequence of numbered fields.

/// One field of a message.
#[derive(Debug, Clone, Copy)]
pub(in crate::detect) struct WireField<'a> {
    pub(in crate::detect) number: u64,
    pub(in crate::detect) value: Value<'a>,
}

/// What a field holds, as far as the wire tells.
#[derive(Debug, Clone, Copy)]
pub(in crate::detect) enum Value<'a> {
    /// A variable-length number.
    Number(u64),
    /// Text, bytes, a packed list or another message.
    Bytes(&'a [u8]),
    /// Four or eight bytes.
    Fixed(&'a [u8]),
}

/// The fields of a message, with the place of each; ends at the first error.
pub(in crate::detect) struct Fields<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Fields<'a> {
    pub(in crate::detect) const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    fn varint(&mut self) -> Result<u64, String> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = *self.bytes.get(self.at).ok_or("it ends in the middle of a number")?;
            self.at += 1;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err("a number in it is too long".into())
    }

    fn take(&mut self, length: u64) -> Result<&'a [u8], String> {
        let rest = &self.bytes[self.at..];
        let length = usize::try_from(length)
            .ok()
            .filter(|l| *l <= rest.len())
            .ok_or_else(|| format!("a part of {length} bytes is announced where {} are left", rest.len()))?;
        self.at += length;
        Ok(&rest[..length])
    }

    fn field(&mut self) -> Result<WireField<'a>, String> {
        let tag = self.varint()?;
        let value = match tag & 7 {
            0 => Value::Number(self.varint()?),
            1 => self.take(8).map(Value::Fixed)?,
            2 => {
                let length = self.varint()?;
                Value::Bytes(self.take(length)?)
            }
            5 => self.take(4).map(Value::Fixed)?,
            other => return Err(format!("a part is of the unknown kind {other}")),
        };
        match tag >> 3 {
            0 => Err("a part has the number 0".into()),
            number => Ok(WireField { number, value }),
        }
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<WireField<'a>, String>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.at >= self.bytes.len() {
            return None;
        }
        let field = self.field();
        if field.is_err() {
            self.at = self.bytes.len();
        }
        Some(field)
    }
}

/// The first `most` numbers of a packed list.
pub(in crate::detect) fn varints(bytes: &[u8], most: usize) -> Result<Vec<u64>, String> {
    let mut fields = Fields::new(bytes);
    let mut numbers = Vec::new();
    while fields.at < bytes.len() && numbers.len() < most {
        numbers.push(fields.varint()?);
    }
    Ok(numbers)
}

/// How many numbers a packed list holds, without the memory for them.
pub(in crate::detect) fn count_varints(bytes: &[u8]) -> Result<u64, String> {
    let mut fields = Fields::new(bytes);
    let mut count = 0;
    while fields.at < bytes.len() {
        fields.varint()?;
        count += 1;
    }
    Ok(count)
}

/// Writes what stands for a field and answers `true`, or `false` to have it copied.
pub(in crate::detect) type Replace<'a> =
    &'a mut dyn FnMut(WireField<'_>, &mut Vec<u8>) -> Result<bool, String>;

/// Copies a message field by field, but for what `replace` replaces.
pub(in crate::detect) fn rewrite(
    bytes: &[u8],
    out: &mut Vec<u8>,
    replace: Replace<'_>,
) -> Result<(), String> {
    let mut fields = Fields::new(bytes);
    loop {
        let start = fields.at;
        let Some(field) = fields.next() else { return Ok(()) };
        if !replace(field?, out)? {
            out.extend_from_slice(&bytes[start..fields.at]);
        }
    }
}

fn write_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends a field that holds a number.
pub(in crate::detect) fn write_number(out: &mut Vec<u8>, number: u64, value: u64) {
    write_varint(out, number << 3);
    write_varint(out, value);
}

/// Appends a field that holds bytes.
pub(in crate::detect) fn write_bytes(out: &mut Vec<u8>, number: u64, bytes: &[u8]) {
    write_varint(out, number << 3 | 2);
    write_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}
