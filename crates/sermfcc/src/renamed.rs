//! Keys of version 0.1 of the settings: what they are called now.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, IntoDeserializer, MapAccess, Visitor};

use crate::Window;

/// Each key that is gone, with its name today.
const KEYS: [(&str, &str); 17] = [
    ("rate", "`sample_rate`"),
    ("hop", "`hop_length`"),
    ("centre", "`center` (true or false) and `pad_mode`"),
    ("coefficients", "`n_mfcc`"),
    ("window.shape", "`window`"),
    ("window.length", "`win_length`"),
    ("window.periodic", "`periodic`"),
    ("mel.bands", "`n_mels`"),
    ("mel.scale", "`mel_scale`"),
    ("mel.norm", "`mel_norm`"),
    ("mel.low", "`fmin`"),
    ("mel.high", "`fmax`"),
    ("log.scale", "`log_scale`"),
    ("log.least", "`amin`"),
    ("log.floor", "`top_db`"),
    ("dct.type", "`dct_type`"),
    ("dct.norm", "`dct_norm`"),
];

/// A table of settings, whatever their values.
pub(crate) type Table = BTreeMap<String, IgnoredAny>;

/// What is wrong with a key that is no setting.
pub(crate) fn unknown(key: &str, known: &[&str]) -> String {
    match KEYS.iter().find(|(old, _)| *old == key) {
        Some((_, new)) => format!("front_end key `{key}` is called {new} now"),
        None => format!("unknown front_end key `{key}`, expected one of {}", known.join(", ")),
    }
}

/// Whether settings stood in a table of that name.
pub(crate) fn is_table(key: &str) -> bool {
    KEYS.iter().any(|(old, _)| old.split_once('.').is_some_and(|(table, _)| table == key))
}

/// The value of `window`: a name, or the table that it was.
pub(crate) enum WindowOrTable {
    Window(Window),
    Table(Table),
}

impl<'de> Deserialize<'de> for WindowOrTable {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = WindowOrTable;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a window")
            }
            fn visit_str<E: Error>(self, name: &str) -> Result<WindowOrTable, E> {
                Window::deserialize(name.into_deserializer()).map(WindowOrTable::Window)
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<WindowOrTable, A::Error> {
                Table::deserialize(MapAccessDeserializer::new(map)).map(WindowOrTable::Table)
            }
        }
        deserializer.deserialize_any(Either)
    }
}
