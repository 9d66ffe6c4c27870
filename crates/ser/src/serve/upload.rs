//! A recording's bytes, as they arrive: how many, how slowly.

use std::{future::poll_fn, time::Duration};

use axum::{
    body::{Body, HttpBody},
    http::StatusCode,
};
use tokio::time::{Instant, interval_at, sleep_until};

use super::{memory::Share, refusal::Refusal};

/// How often the rate of an upload is looked at: the grace of one that has come to a halt.
const PERIOD: Duration = Duration::from_secs(5);
/// Bytes that have to arrive in a period: 16 KiB a second, as a recording of 128 kbit/s has them.
const LEAST: usize = 80 << 10;
/// Memory that is taken with the first bytes.
const FIRST: usize = 64 << 10;

/// Receives `length` bytes, which take memory as they arrive, within `time`.
///
/// # Errors
/// 408 for a slow upload, 503 where there is no memory, 400 where the client breaks off or sends another number of bytes.
pub async fn receive(mut body: Body, length: usize, time: Duration, share: &Share) -> Result<Vec<u8>, Refusal> {
    let start = Instant::now();
    let mut periods = interval_at(start + PERIOD, PERIOD);
    let (mut bytes, mut wanted) = (Vec::new(), LEAST);
    loop {
        let frame = tokio::select! {
            frame = poll_fn(|context| std::pin::Pin::new(&mut body).poll_frame(context)) => frame,
            () = sleep_until(start + time) => {
                let error = format!("the recording did not arrive within {} s", time.as_secs());
                return Err(Refusal::new(StatusCode::REQUEST_TIMEOUT, error));
            }
            _ = periods.tick() => {
                if bytes.len() < wanted {
                    let (least, seconds) = (LEAST >> 10, PERIOD.as_secs());
                    let error = format!("the recording arrived too slowly: less than {least} KiB in {seconds} s");
                    return Err(Refusal::new(StatusCode::REQUEST_TIMEOUT, error));
                }
                wanted = bytes.len() + LEAST;
                continue;
            }
            () = share.evicted() => return Err(Refusal::busy()),
        };
        let broken = |e: &dyn std::fmt::Display| {
            Refusal::new(StatusCode::BAD_REQUEST, format!("the recording broke off after {} bytes: {e}", bytes.len()))
        };
        let Some(frame) = frame else {
            return if bytes.len() == length { Ok(bytes) } else { Err(broken(&format!("{length} were announced"))) };
        };
        // What is no data are trailers.
        let Ok(data) = frame.map_err(|e| broken(&e))?.into_data() else { continue };
        let end = bytes.len() + data.len();
        if end > length {
            return Err(Refusal::new(StatusCode::BAD_REQUEST, format!("more than the {length} bytes announced")));
        }
        if end > bytes.capacity() {
            let capacity = end.max(2 * bytes.capacity()).max(FIRST).min(length);
            if !share.grow(capacity - bytes.capacity()) {
                return Err(Refusal::busy());
            }
            bytes.reserve_exact(capacity - bytes.len());
        }
        bytes.extend_from_slice(&data);
    }
}
