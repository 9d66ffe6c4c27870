//! `natsort.natsorted(names)` of natsort 8.4.0 gave the second list from the first.

use sercorpus::natural_cmp;

#[test]
fn equals_natsort() {
    let mut names = [
        "a10",
        "a2",
        "a",
        "",
        "10",
        "2",
        "03a2Fb",
        "03a10Fa",
        "3a1Fa",
        "b",
        "A2",
        "a2b",
        "a2b10",
        "a2b9",
        "a2-",
        "-1",
        "1",
        "02b",
        "2a",
        "sa01",
        "s10",
        "99999999999999999999999",
        "z9",
        "a-b",
        "a1b1c1",
        "a1b1",
    ];
    names.sort_by(|a, b| natural_cmp(a, b));
    let expected = [
        "",
        "1",
        "2",
        "2a",
        "02b",
        "3a1Fa",
        "03a2Fb",
        "03a10Fa",
        "10",
        "99999999999999999999999",
        "-1",
        "A2",
        "a",
        "a1b1",
        "a1b1c1",
        "a2",
        "a2-",
        "a2b",
        "a2b9",
        "a2b10",
        "a10",
        "a-b",
        "b",
        "s10",
        "sa01",
        "z9",
    ];
    assert_eq!(names.as_slice(), expected);
}
