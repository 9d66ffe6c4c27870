//! How much is taken of what a stranger brings: one table.

/// Levels of folders below the root; deeper than any layout, it ends a walk that was started too high up.
pub(crate) const FOLDER_DEPTH: usize = 16;
/// Bytes of a list of recordings.
pub(crate) const LIST_BYTES: u64 = 1 << 30;
/// Rows of a list.
pub(crate) const LIST_ROWS: usize = 10_000_000;
/// Columns of a list.
pub(crate) const LIST_COLUMNS: usize = 10_000;
/// Bytes of one value of a list that is used: a path, a label, an id.
pub(crate) const VALUE_BYTES: usize = 4096;
/// Bytes of a label map.
pub(crate) const LABEL_MAP_BYTES: u64 = 1 << 20;
