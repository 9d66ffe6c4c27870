//! Input that reaches deep: a good file with some bytes changed.

/// By the first byte of `data`: even, the rest as it is; odd, `good` with changes, each three bytes of the rest being a
/// position (little-endian, scaled to the file's length) and a value.
pub fn bytes(data: &[u8], good: &[u8]) -> Option<Vec<u8>> {
    let (&choice, rest) = data.split_first()?;
    if choice % 2 == 0 {
        return Some(rest.to_vec());
    }
    let mut out = good.to_vec();
    for &[low, high, value] in rest.as_chunks::<3>().0 {
        let position = usize::from(u16::from_le_bytes([low, high])) * good.len() / (1 << 16);
        out[position] = value;
    }
    Some(out)
}
