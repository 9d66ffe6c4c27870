//! Decodes OGG Opus files with every Opus decoder in Rust: `opus-decoders FOLDER FILE..` writes FOLDER/FILE.DECODER.f32
//! (interleaved, 48 kHz, pre-skip left in) and prints a line of JSON for each. `opus-decoders --damage SECONDS FILE..` changes
//! packets at random and counts panics, errors and samples that are not numbers, for each decoder.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::Instant;

use symphonia::core::formats::{FormatReader, TrackType, probe::Hint};
use symphonia::core::io::MediaSourceStream;

/// 120 ms at 48 kHz.
const MOST: usize = 5760;

/// Decodes one packet into interleaved samples; gives the frames of it.
type Decode = Box<dyn FnMut(&[u8], &mut [f32]) -> Result<usize, String>>;

/// Frames of a packet at 48 kHz, which some decoders want to be told; 0 if it is no packet.
fn frames(packet: &[u8]) -> usize {
    let frames = unsafe { unsafe_libopus::opus_packet_get_nb_samples(packet.as_ptr(), packet.len() as i32, 48_000) };
    usize::try_from(frames).unwrap_or(0).min(MOST)
}

fn decoders(channels: usize) -> Vec<(&'static str, Decode)> {
    let stereo = channels == 2;
    let mut ropus =
        ropus::Decoder::new(48_000, if stereo { ropus::Channels::Stereo } else { ropus::Channels::Mono }).unwrap();
    let mut decoder = opus_decoder::OpusDecoder::new(48_000, channels).unwrap();
    let mut rs = opus_rs::OpusDecoder::new(48_000, channels).unwrap();
    let mut mousiki =
        mousiki::Decoder::new(48_000, if stereo { mousiki::Channels::Stereo } else { mousiki::Channels::Mono })
            .unwrap();
    let c = unsafe {
        let mut error = 0;
        unsafe_libopus::opus_decoder_create(48_000, channels as i32, &mut error)
    };
    vec![
        (
            "ropus",
            Box::new(move |packet, out| {
                ropus.decode_float(packet, out, ropus::DecodeMode::Normal).map_err(|e| format!("{e:?}"))
            }),
        ),
        (
            "opus-decoder",
            Box::new(move |packet, out| decoder.decode_float(packet, out, false).map_err(|e| format!("{e:?}"))),
        ),
        ("opus-rs", Box::new(move |packet, out| rs.decode(packet, frames(packet), out).map_err(str::to_owned))),
        (
            "mousiki",
            Box::new(move |packet, out| {
                let out = &mut out[..frames(packet) * channels];
                mousiki.decode_float(packet, out, false).map_err(|e| format!("{e:?}"))
            }),
        ),
        (
            "unsafe-libopus",
            Box::new(move |packet, out| {
                let frames = unsafe {
                    unsafe_libopus::opus_decode_float(
                        &mut *c,
                        packet.as_ptr(),
                        packet.len() as i32,
                        out.as_mut_ptr(),
                        MOST as i32,
                        0,
                    )
                };
                usize::try_from(frames).map_err(|_| frames.to_string())
            }),
        ),
    ]
}

/// Channels, pre-skip and packets of a file.
fn packets(path: &Path) -> (usize, u32, Vec<Vec<u8>>) {
    let stream = MediaSourceStream::new(Box::new(std::fs::File::open(path).unwrap()), Default::default());
    let mut format: Box<dyn FormatReader> =
        symphonia::default::get_probe().probe(&Hint::new(), stream, Default::default(), Default::default()).unwrap();
    let track = format.default_track(TrackType::Audio).unwrap();
    let channels = track.codec_params.as_ref().unwrap().audio().unwrap().channels.as_ref().unwrap().count();
    let skip = track.delay.unwrap_or(0);
    let mut packets = Vec::new();
    while let Ok(Some(packet)) = format.next_packet() {
        packets.push(packet.data.to_vec());
    }
    (channels, skip, packets)
}

/// A stream of numbers that look random (Marsaglia's xorshift64).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }
}

/// Decodes the packets of a file with changes, until the time is over.
fn damage(seconds: f64, files: &[(usize, u32, Vec<Vec<u8>>)]) {
    for (which, (name, _)) in decoders(1).iter().enumerate() {
        let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
        let (mut decoded, mut errors, mut odd, mut slowest) = (0, 0, 0, 0.0f64);
        let mut panics = 0;
        let start = Instant::now();
        'time: loop {
            for (channels, _, packets) in files {
                let mut decode = decoders(*channels).swap_remove(which).1;
                for packet in packets {
                    let mut packet = packet.clone();
                    if numbers.below(4) == 0 {
                        packet.truncate(numbers.below(packet.len()) + 1);
                    }
                    for _ in 0..numbers.below(5) {
                        let at = numbers.below(packet.len());
                        packet[at] = numbers.below(256) as u8;
                    }
                    let mut pcm = vec![0.0; MOST * channels];
                    let before = Instant::now();
                    match catch_unwind(AssertUnwindSafe(|| decode(&packet, &mut pcm))) {
                        Ok(Ok(frames)) => odd += usize::from(pcm[..frames * channels].iter().any(|x| !x.is_finite())),
                        Ok(Err(_)) => errors += 1,
                        Err(_) => {
                            panics += 1;
                            decode = decoders(*channels).swap_remove(which).1;
                        }
                    }
                    slowest = slowest.max(before.elapsed().as_secs_f64());
                    decoded += 1;
                    if start.elapsed().as_secs_f64() > seconds {
                        break 'time;
                    }
                }
            }
        }
        println!("| {name} | {decoded} | {errors} | {panics} | {odd} | {:.1} ms |", slowest * 1e3);
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().expect("usage: opus-decoders FOLDER FILE..");
    std::panic::set_hook(Box::new(|_| {}));
    if folder == "--damage" {
        let seconds = arguments.next().and_then(|s| s.parse().ok()).expect("seconds");
        let files: Vec<_> = arguments.map(|path| packets(Path::new(&path))).collect();
        println!("| decoder | packets | errors | panics | not finite | slowest packet |\n|---|--:|--:|--:|--:|--:|");
        return damage(seconds, &files);
    }
    for path in arguments {
        let path = Path::new(&path);
        let (channels, skip, packets) = packets(path);
        // The mode stands in the first five bits of a packet: SILK, hybrid, CELT.
        let mut modes = [0; 3];
        for packet in &packets {
            modes[match packet[0] >> 3 {
                0..12 => 0,
                12..16 => 1,
                _ => 2,
            }] += 1;
        }
        for (name, mut decode) in decoders(channels) {
            let (mut out, mut error) = (Vec::new(), String::new());
            let start = Instant::now();
            for (number, packet) in packets.iter().enumerate() {
                let mut pcm = vec![0.0; MOST * channels];
                match catch_unwind(AssertUnwindSafe(|| decode(packet, &mut pcm))) {
                    Ok(Ok(frames)) => out.extend_from_slice(&pcm[..frames * channels]),
                    Ok(Err(e)) => error = format!("packet {number}: {e}"),
                    Err(_) => error = format!("packet {number}: panic"),
                }
                if !error.is_empty() {
                    break;
                }
            }
            let seconds = start.elapsed().as_secs_f64();
            let bytes: Vec<u8> = out.iter().flat_map(|sample: &f32| sample.to_le_bytes()).collect();
            let file = path.file_name().unwrap().to_string_lossy();
            std::fs::write(format!("{folder}/{file}.{name}.f32"), bytes).unwrap();
            println!(
                "{{\"file\":{file:?},\"decoder\":{name:?},\"channels\":{channels},\"skip\":{skip},\"modes\":{modes:?},\
                 \"seconds\":{seconds},\"error\":{error:?}}}"
            );
        }
    }
}
