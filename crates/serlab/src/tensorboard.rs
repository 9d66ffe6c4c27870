//! TensorBoard event files of the curves: TFRecords of `Event` messages.
//!
//! Formats: tensorflow/core/lib/io/record_writer.h (length, masked CRC-32C of it, data, masked CRC-32C of the data) and
//! tensorflow/core/util/event.proto. Only what scalars need is written, by hand: three messages of seven fields.

use std::path::{Path, PathBuf};

use serrun::{FinishedFold, create_folder, put};

use crate::{
    error::{LabError, Result},
    plan::Training,
};

/// A fold's event file in the folder of its training. A folder is a run to TensorBoard, and runs have the same tags: it draws the curves
/// of all folds and trainings into one chart for each tag.
pub fn file(fold: usize) -> PathBuf {
    Path::new(&format!("fold-{fold:02}")).join("events.out.tfevents.0")
}

/// Writes the event file beside the fold file, unless it is there.
///
/// # Errors
/// Those of the file system.
pub fn write(fold_file: &Path, training: &Training, fold: usize, finished: &FinishedFold) -> Result<()> {
    let path = fold_file.with_file_name(file(fold));
    if path.exists() {
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        create_folder(folder).map_err(|e| LabError::Work(format!("{}: {e}", folder.display())))?;
    }
    let mut out = Vec::new();
    record(&mut out, &version());
    for r in &finished.records {
        let mut scalar = |name: &str, value: Option<f64>| {
            if let Some(value) = value {
                record(&mut out, &event(r.epoch, name, value as f32));
            }
        };
        scalar("train_loss", Some(r.train_loss));
        scalar("train_accuracy", Some(r.train_accuracy));
        if finished.validated.is_some() {
            scalar("validation_loss", r.validation_loss);
            scalar("validation_accuracy", r.validation_accuracy);
        }
        if training.division().is_tested_every_epoch() {
            scalar("test_loss", r.test_loss);
            scalar("test_accuracy", r.test_accuracy);
        }
    }
    Ok(put(&path, &out)?)
}

/// Event { file_version: "brain.Event:2" }
fn version() -> Vec<u8> {
    let mut out = Vec::new();
    bytes(&mut out, 3, b"brain.Event:2");
    out
}

/// Event { wall_time, step, summary: Summary { value: [Value { tag, simple_value }] } }. The wall time is the epoch in
/// seconds: a file of a run depends on the run alone.
fn event(epoch: u32, tag: &str, value: f32) -> Vec<u8> {
    let mut one = Vec::new();
    bytes(&mut one, 1, tag.as_bytes());
    one.push((2 << 3) | 5);
    one.extend(value.to_le_bytes());
    let mut summary = Vec::new();
    bytes(&mut summary, 1, &one);
    let mut out = Vec::new();
    fixed64(&mut out, 1, f64::from(epoch));
    out.push(2 << 3);
    varint(&mut out, u64::from(epoch));
    bytes(&mut out, 5, &summary);
    out
}

fn fixed64(out: &mut Vec<u8>, field: u8, value: f64) {
    out.push((field << 3) | 1);
    out.extend(value.to_le_bytes());
}

fn bytes(out: &mut Vec<u8>, field: u8, value: &[u8]) {
    out.push((field << 3) | 2);
    varint(out, value.len() as u64);
    out.extend(value);
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn record(out: &mut Vec<u8>, data: &[u8]) {
    let length = (data.len() as u64).to_le_bytes();
    out.extend(length);
    out.extend(masked(&length).to_le_bytes());
    out.extend(data);
    out.extend(masked(data).to_le_bytes());
}

fn masked(data: &[u8]) -> u32 {
    crc32c(data).rotate_right(15).wrapping_add(0xa282_ead8)
}

/// CRC-32C (Castagnoli), bit by bit: event files are small.
fn crc32c(data: &[u8]) -> u32 {
    let bit = |crc: u32| if crc & 1 == 1 { (crc >> 1) ^ 0x82f6_3b78 } else { crc >> 1 };
    !data.iter().fold(!0, |crc: u32, &byte| (0..8).fold(crc ^ u32::from(byte), |crc, _| bit(crc)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The check values are of RFC 3720, appendix B.4. The records are TensorBoard 2.21's:
    ///
    /// ```python
    /// w = RecordWriter(out)     # tensorboard.summary.writer.record_writer
    /// w.write(Event(file_version="brain.Event:2").SerializeToString())
    /// value = Summary.Value(tag="test_loss/fold-00", simple_value=0.5)
    /// w.write(Event(wall_time=300.0, step=300, summary=Summary(value=[value])).SerializeToString())
    /// ```
    #[test]
    fn records_are_tensorboards() {
        assert_eq!(crc32c(&[0; 32]), 0x8a91_36aa);
        assert_eq!(crc32c(&[0xff; 32]), 0x62a8_ab43);
        let mut out = Vec::new();
        record(&mut out, &version());
        record(&mut out, &event(300, "test_loss/fold-00", 0.5));
        let hex: String = out.iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(
            hex,
            "0f000000000000006d532b091a0d627261696e2e4576656e743a32fc9851292800000000000000ff70164a090000000000c0724010ac02\
             2a1a0a180a11746573745f6c6f73732f666f6c642d3030150000003f37c7f62c"
        );
    }
}
