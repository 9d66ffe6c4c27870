//! Decodes recordings: prints rate and number of samples of each, or what is wrong with it. With `--to FOLDER` its samples are
//! written there as raw 32-bit floats; with `--cut-off accept` a file that is cut off gives what is there.

use std::path::PathBuf;

use seraudio::LoadOptions;

#[allow(clippy::print_stdout)]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (mut options, mut folder) = (LoadOptions::default(), None);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--to" => folder = arguments.next().map(PathBuf::from),
            "--cut-off" => options.accept_damaged = arguments.next().as_deref() == Some("accept"),
            path => match seraudio::load(path.as_ref(), &options) {
                Ok(audio) => {
                    println!("{path}\t{}\t{}", audio.rate, audio.samples.len());
                    let name = PathBuf::from(path).file_name().map(PathBuf::from);
                    if let Some((folder, name)) = folder.as_ref().zip(name) {
                        let bytes: Vec<u8> = audio.samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
                        std::fs::write(folder.join(name).with_added_extension("f32"), bytes)?;
                    }
                }
                Err(error) => println!("{error}"),
            },
        }
    }
    Ok(())
}
