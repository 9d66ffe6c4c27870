//! Score ten made-up predictions: `cargo run -p sermetrics --example score`.
#![allow(clippy::print_stdout)]

use sermetrics::{Bootstrap, Confusion, MetricError, confusion};

fn main() -> Result<(), MetricError> {
    let truth = [0, 0, 0, 0, 1, 1, 1, 2, 2, 2];
    let predicted = [0, 0, 1, 0, 1, 1, 2, 2, 2, 0];
    let matrix = confusion(&truth, &predicted, 3)?;
    println!("UAR {:.3}  WAR {:.3}", matrix.uar(), matrix.war());
    for (class, scores) in matrix.per_class().iter().enumerate() {
        println!("class {class}: recall {:.3}, precision {:.3}", scores.recall, scores.precision);
    }
    let interval = Bootstrap::default().interval(&truth, &predicted, 3, Confusion::uar)?;
    println!("UAR 95 % interval {:.3} .. {:.3}", interval.low, interval.high);
    Ok(())
}
