//! What is in a recording, or what is wrong with it: `inspect RECORDING..`.

#[allow(clippy::print_stdout)]
fn main() {
    for path in std::env::args().skip(1) {
        match seraudio::probe(path.as_ref()) {
            Ok(info) => println!(
                "{path}: {}, {} Hz, {} channel(s), {}",
                info.format,
                info.rate,
                info.channels,
                info.seconds().map_or("length not declared".into(), |seconds| format!("{seconds:.3} s")),
            ),
            Err(error) => println!("{error}"),
        }
    }
}
