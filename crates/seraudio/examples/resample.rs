//! Resamples a recording into a 32-bit float WAV: `resample IN OUT RATE [RESAMPLER]`.

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [input, output, rate, rest @ ..] = &arguments[..] else {
        return Err("usage: resample IN OUT RATE [RESAMPLER]".into());
    };
    let resampler = rest.first().map_or(Ok(seraudio::Resampler::default()), |name| name.parse())?;
    let options = seraudio::LoadOptions { rate: Some(rate.parse()?), resampler, ..Default::default() };
    let audio = seraudio::load(input.as_ref(), &options)?;
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: audio.rate,
        bits_per_sample: 32,
        sample_format: hound::SampleFormat::Float,
    };
    let mut writer = hound::WavWriter::create(output, spec)?;
    for sample in audio.samples {
        writer.write_sample(sample)?;
    }
    writer.finalize()?;
    Ok(())
}
