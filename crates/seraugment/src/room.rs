//! Rooms: a direct sound and an exponentially decaying tail (Polack's model of late reverberation).

use realfft::RealFftPlanner;

use crate::{AugmentError, Draw, error::parameter, level::energy, noise::white_of};

/// A rate's name, least and most in Hz.
pub(crate) const RATE: (&str, f64, f64) = ("rate in Hz", 1.0, 768_000.0);

/// An impulse response at `rate` Hz: 1 at time 0, then Gaussian noise whose power falls by 60 dB in `rt60` seconds, as
/// long as that. The direct sound has `direct` dB more energy than the tail (negative: less, far from the microphone).
///
/// # Errors
/// An RT60 that is not in 0 to 60 s, a ratio beyond 300 dB, a rate that is not in 1 to 768,000 Hz.
pub fn impulse_response(rt60: f64, direct: f64, rate: u32, draw: Draw) -> Result<Vec<f32>, AugmentError> {
    parameter("RT60 in s", rt60, 0.0, 60.0)?;
    parameter("direct-to-reverberant ratio in dB", direct, -300.0, 300.0)?;
    parameter(RATE.0, rate.into(), RATE.1, RATE.2)?;
    let length = (rt60 * f64::from(rate)).ceil().max(1.0) as usize;
    let mut response = white_of(length + 1, &mut draw.stream(b'h'));
    // 60 dB are a factor of 1000 in amplitude.
    let decay = -1000f64.ln() / (rt60.max(1e-9) * f64::from(rate));
    for (i, x) in response.iter_mut().enumerate() {
        *x = (f64::from(*x) * (decay * i as f64).exp()) as f32;
    }
    let tail = energy(&response[1..]);
    let scale = (10f64.powf(-direct / 10.0) / tail.max(f64::MIN_POSITIVE)).sqrt();
    response[1..].iter_mut().for_each(|x| *x = (f64::from(*x) * scale) as f32);
    response[0] = 1.0;
    Ok(response)
}

/// The linear convolution of two signals, `n + m - 1` samples; empty where either is.
///
/// ```
/// let out = seraugment::convolve(&[1.0, 2.0], &[1.0, 0.0, -1.0]);
/// assert!(out.iter().zip([1.0, 2.0, -1.0, -2.0]).all(|(a, b)| (a - b).abs() < 1e-6));
/// ```
pub fn convolve(a: &[f32], b: &[f32]) -> Vec<f32> {
    if a.is_empty() || b.is_empty() {
        return Vec::new();
    }
    let length = a.len() + b.len() - 1;
    let n = length.next_power_of_two().max(2);
    let mut planner = RealFftPlanner::<f32>::new();
    let (forward, inverse) = (planner.plan_fft_forward(n), planner.plan_fft_inverse(n));
    let spectrum = |signal: &[f32]| {
        let mut padded = signal.to_vec();
        padded.resize(n, 0.0);
        let mut out = forward.make_output_vec();
        // The lengths are the planner's own, and products of real signals' spectra are real at both ends: no transform
        // here can fail.
        let _ = forward.process(&mut padded, &mut out);
        out
    };
    let mut product = spectrum(a);
    product.iter_mut().zip(spectrum(b)).for_each(|(x, y)| *x *= y);
    let mut out = inverse.make_output_vec();
    let _ = inverse.process(&mut product, &mut out);
    out.truncate(length);
    out.iter_mut().for_each(|x| *x /= n as f32);
    out
}

/// A recording as heard in a room: convolved with its impulse response, as long and as loud (mean square) as before.
pub fn room(samples: &[f32], response: &[f32]) -> Vec<f32> {
    let mut out = convolve(samples, response);
    out.resize(samples.len(), 0.0);
    let (before, after) = (energy(samples), energy(&out));
    if after > 0.0 {
        let scale = (before / after).sqrt();
        out.iter_mut().for_each(|x| *x = (f64::from(*x) * scale) as f32);
    }
    out
}
