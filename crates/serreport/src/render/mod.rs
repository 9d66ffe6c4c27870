//! A document in each format.

mod data;
mod html;
mod latex;
mod markdown;

pub use data::{csv, report_json, table_json};
pub use html::html;
pub use latex::latex;
pub use markdown::markdown;

use crate::document::words;
