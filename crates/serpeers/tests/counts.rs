//! Parameters and multiply-adds of the published systems (peers.md).

#![allow(clippy::unwrap_used)]

use serengine::Settings;
use serpeers::{CaamConfig, CpacConfig, GmTcnConfig, LightSerNetConfig};

#[test]
fn counts_are_the_published_ones() {
    for classes in [7, 4] {
        assert_eq!(GmTcnConfig::new(classes).parameters(), Ok(260_364 + 40 * classes));
        assert_eq!(CpacConfig::new(classes, 188).parameters(), Ok(321_409 + 65 * classes));
        assert_eq!(CaamConfig::new(classes, 188).parameters(), Ok(321_408 + 2 * 65 * classes));
        assert_eq!(LightSerNetConfig::new(classes).parameters(), Ok(461_184 + 321 * classes));
    }
    assert_eq!(CpacConfig::new(7, 188).layout().unwrap().trainable(), 321_480);
    assert_eq!(LightSerNetConfig::new(7).layout().unwrap().trainable(), 461_703);
    let tenths = |n: u64| (n as f64 / 1e5).round() / 10.0;
    assert_eq!(tenths(GmTcnConfig::new(7).multiply_adds(188)), 48.3);
    assert_eq!(tenths(CpacConfig::new(7, 188).multiply_adds().unwrap()), 76.0);
    assert_eq!(tenths(CaamConfig::new(5, 188).multiply_adds().unwrap() / 2), 76.0);
    assert_eq!(tenths(LightSerNetConfig::new(7).multiply_adds(184)), 159.3);
    assert_eq!(tenths(LightSerNetConfig::new(7).multiply_adds(434)), 376.2);
}
