//! Natural sort order, as Python's `natsort.natsorted` has it by default: runs of digits compare as numbers,
//! everything else by code point (names are not Unicode-decomposed first). `2` comes before `10`; `03a2` before `03a10`.

use std::cmp::Ordering;

/// Compare two names in natural order. Names that differ only in leading zeros compare equal, as in natsort.
#[must_use]
pub fn natural_cmp(a: &str, b: &str) -> Ordering {
    // natsort compares tuples (text, number, text, number, ...), the first text maybe empty.
    let (mut a, mut b) = (a, b);
    loop {
        let (text_a, rest_a) = split_at_first(a, |c| c.is_ascii_digit());
        let (text_b, rest_b) = split_at_first(b, |c| c.is_ascii_digit());
        let (number_a, tail_a) = split_at_first(rest_a, |c| !c.is_ascii_digit());
        let (number_b, tail_b) = split_at_first(rest_b, |c| !c.is_ascii_digit());
        let order = text_a.cmp(text_b).then_with(|| match (number_a.is_empty(), number_b.is_empty()) {
            (false, false) => cmp_digits(number_a, number_b),
            (empty_a, empty_b) => empty_b.cmp(&empty_a), // the shorter tuple first
        });
        if order != Ordering::Equal || tail_a.is_empty() || tail_b.is_empty() {
            return order.then_with(|| tail_a.is_empty().cmp(&tail_b.is_empty()).reverse());
        }
        (a, b) = (tail_a, tail_b);
    }
}

fn split_at_first(text: &str, is_end: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(is_end).unwrap_or(text.len()))
}

/// Numbers of any length: without leading zeros the longer is the larger.
fn cmp_digits(a: &str, b: &str) -> Ordering {
    let (a, b) = (a.trim_start_matches('0'), b.trim_start_matches('0'));
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}
