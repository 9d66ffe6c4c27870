//! `ser serve`: the endpoint's answers and refusals, and how it ends.

#![allow(clippy::unwrap_used)]

mod common;
#[path = "../../sermodel/tests/support/mod.rs"]
mod sound;

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    process::{Child, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;
use tempfile::TempDir;

struct Server {
    child: Child,
    address: String,
    folder: TempDir,
}

impl Server {
    /// In a folder with a model, on any free port.
    fn start(arguments: &[&str]) -> Self {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("model.safetensors"), sound::model().to_bytes().unwrap()).unwrap();
        let all = [&["serve", "--model", "model.safetensors", "--port", "0"], arguments].concat();
        let mut child =
            common::command(folder.path(), &all).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("http://").unwrap().to_owned();
        Self { child, address, folder }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        stream
    }

    /// Sends bytes as they are; the status and the body of what comes back.
    fn raw(&self, bytes: &[u8]) -> (u16, String) {
        let mut stream = self.connect();
        // A server that refuses a head does not wait for the rest.
        let _ = stream.write_all(bytes);
        response(stream)
    }

    fn request(&self, method: &str, path: &str, body: &[u8]) -> (u16, String) {
        let length = body.len();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
        );
        self.raw(&[head.as_bytes(), body].concat())
    }

    fn json(&self, method: &str, path: &str, body: &[u8]) -> (u16, Value) {
        let (status, text) = self.request(method, path, body);
        (status, serde_json::from_str(&text).unwrap_or_else(|_| panic!("{method} {path}: {status} {text}")))
    }

    #[cfg(unix)]
    fn tell(&self, signal: &str) {
        let id = self.child.id().to_string();
        assert!(std::process::Command::new("kill").args([signal, &id]).status().unwrap().success());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn response(mut stream: TcpStream) -> (u16, String) {
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let status = text.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    (status, text.split_once("\r\n\r\n").map_or(String::new(), |(_, body)| body.to_owned()))
}

fn wav(folder: &Path, seconds: f64) -> Vec<u8> {
    let path = folder.join("sound.wav");
    common::wav(&path, 16_000, sound::voice(16_000, seconds).iter().map(|s| (s * 32_767.0) as i16));
    fs::read(path).unwrap()
}

#[test]
fn the_endpoint_answers_as_ser_predict_does() {
    let server = Server::start(&[]);
    let folder = server.folder.path();
    let bytes = wav(folder, 3.3);
    let predict = |arguments: &[&str]| -> Vec<Value> {
        let all = [&["predict", "sound.wav", "--model", "model.safetensors", "--format", "jsonl"], arguments].concat();
        let (code, out, err) = common::ser(folder, &all);
        assert_eq!(code, 0, "{err}");
        let lines = out.lines().map(|line| serde_json::from_str(line).unwrap());
        lines.map(|mut line: Value| (line.as_object_mut().unwrap().remove("path"), line).1).collect()
    };
    let (status, told) = server.json("POST", "/api/predict?window=1&hop=0.25&picture=true", &bytes);
    assert_eq!(status, 200, "{told}");
    assert_eq!(told["windows"], Value::Array(predict(&["--window", "1", "--hop", "0.25"])));
    assert_eq!(told["answer"], predict(&[])[0]);
    assert!((told["seconds"].as_f64().unwrap() - 3.3).abs() < 1e-3);
    assert!(told["picture"]["mel"].as_array().unwrap().len() > 20);
    let (status, told) = server.json("POST", "/api/predict", &bytes);
    assert!(status == 200 && told["windows"] == Value::Array(vec![]) && told["picture"].is_null(), "{told}");
    let (status, told) = server.json("POST", "/api/predict?window=1", &silence());
    assert!(status == 200 && told["answer"]["label"] == "no-speech" && told["answer"]["probabilities"].is_null());
}

/// Two seconds of nothing.
fn silence() -> Vec<u8> {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("silence.wav");
    common::wav(&path, 8_000, [0; 16_000]);
    fs::read(path).unwrap()
}

#[test]
fn bad_requests_are_refused_with_a_reason() {
    let server = Server::start(&["--max-size", "1", "--max-length", "4"]);
    let good = wav(server.folder.path(), 1.0);
    let (long, large) = (wav(server.folder.path(), 4.5), vec![0; (1 << 20) + 1]);
    let post = "/api/predict";
    for (method, path, body, status, part) in [
        ("POST", post, &b"<html>no</html>"[..], 415, "not audio"),
        ("POST", post, b"", 422, "empty"),
        ("POST", post, &good[..good.len() / 2], 422, "truncated"),
        ("POST", post, &good[..20], 422, ""),
        ("POST", post, &long, 413, "longer than 4 s"),
        ("POST", post, &large, 413, "1 MiB"),
        ("POST", "/api/predict?window=9", &good, 400, "at most 2.000 s"),
        ("POST", "/api/predict?window=-1", &good, 400, "above 0"),
        ("POST", "/api/predict?window=NaN", &good, 400, "above 0"),
        ("POST", "/api/predict?window=1&hop=0", &good, 400, "above 0"),
        ("POST", "/api/predict?window=wide", &good, 400, "window"),
        ("POST", "/api/predict?widnow=1", &good, 400, "widnow"),
        ("GET", post, b"", 405, "method"),
        ("DELETE", "/api/model", b"", 405, "method"),
        ("GET", "/nowhere", b"", 404, "openapi"),
        ("GET", "/../../etc/passwd", b"", 404, "openapi"),
        ("GET", "/%2e%2e/%2e%2e/etc/passwd", b"", 404, "openapi"),
        ("GET", "/page.js/../../Cargo.toml", b"", 404, "openapi"),
        ("GET", "//etc/passwd", b"", 404, "openapi"),
    ] {
        let (found, told) = server.json(method, path, body);
        let error = told["error"].as_str().unwrap();
        assert!(found == status && error.contains(part), "{method} {path}: {found} {error}");
    }
    let head = |rest: &str| format!("POST /api/predict HTTP/1.1\r\n{rest}Connection: close\r\n\r\n").into_bytes();
    for (bytes, status) in [
        (head("Host: localhost\r\nTransfer-Encoding: chunked\r\n"), 411),
        (head("Host: localhost\r\nContent-Length: 99999999999999999999\r\n"), 400),
        (head("Host: localhost\r\nContent-Length: -1\r\n"), 400),
        (head("Host: evil.example\r\nContent-Length: 3\r\n"), 403),
        (head("Content-Length: 3\r\n"), 403),
        (head(&format!("Host: localhost\r\nX: {}\r\n", "x".repeat(64 << 10))), 431),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01".to_vec(), 400),
    ] {
        let (found, text) = server.raw(&bytes);
        assert_eq!(found, status, "{} {text}", String::from_utf8_lossy(&bytes[..bytes.len().min(80)]));
    }
    assert_eq!(server.json("POST", post, &good).0, 200);
}

#[test]
fn what_comes_too_slowly_or_too_much_is_turned_away() {
    let server = Server::start(&["--timeout", "1", "--queue", "1"]);
    let good = wav(server.folder.path(), 1.0);
    let workers = std::thread::available_parallelism().unwrap().get();
    let slow: Vec<TcpStream> = (0..=workers)
        .map(|_| {
            let mut stream = server.connect();
            let head =
                "POST /api/predict HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 9999\r\n\r\n";
            stream.write_all(head.as_bytes()).unwrap();
            stream
        })
        .collect();
    std::thread::sleep(Duration::from_millis(200));
    let (status, told) = server.json("POST", "/api/predict", &good);
    assert!(status == 503 && told["error"].as_str().unwrap().contains("too many"), "{told}");
    for stream in slow {
        let (status, text) = response(stream);
        assert!(status == 408 && text.contains("in time"), "{status} {text}");
    }
    assert_eq!(server.json("POST", "/api/predict", &good).0, 200);
}

#[test]
#[cfg(unix)]
fn told_to_stop_it_gives_the_answers_in_hand() {
    for signal in ["-TERM", "-INT"] {
        let mut server = Server::start(&[]);
        let good = wav(server.folder.path(), 1.0);
        let mut stream = server.connect();
        let length = good.len();
        let head = format!(
            "POST /api/predict HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        std::thread::sleep(Duration::from_millis(100));
        server.tell(signal);
        std::thread::sleep(Duration::from_millis(100));
        stream.write_all(&good).unwrap();
        assert_eq!(response(stream).0, 200);
        let start = Instant::now();
        assert!(server.child.wait().unwrap().success());
        assert!(start.elapsed() < Duration::from_secs(5));
    }
}

#[test]
fn a_port_in_use_is_said() {
    let server = Server::start(&[]);
    let port = server.address.rsplit(':').next().unwrap();
    let again = ["serve", "--model", "model.safetensors", "--port", port];
    let (code, out, err) = common::ser(server.folder.path(), &again);
    assert!(code == 2 && out.is_empty() && err.contains(port) && err.contains("--port"), "{code} {err}");
}

/// The description and the server agree on routes, parameters and fields.
#[test]
fn the_description_is_of_this_endpoint() {
    let server = Server::start(&[]);
    let good = wav(server.folder.path(), 1.0);
    let (_, api) = server.json("GET", "/api/openapi.json", b"");
    let schema = |name: &str| api["components"]["schemas"][name].clone();
    let fields = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let paths = api["paths"].as_object().unwrap();
    assert_eq!(paths.keys().collect::<Vec<_>>(), ["/api/model", "/api/predict"]);
    let parameters = api["paths"]["/api/predict"]["post"]["parameters"].as_array().unwrap();
    let values = ["window=1", "hop=0.5", "vad=true", "picture=true"];
    for (parameter, value) in parameters.iter().zip(values) {
        assert_eq!(parameter["name"], value.split('=').next().unwrap());
    }
    assert_eq!(parameters.len(), values.len());
    let (status, told) = server.json("POST", &format!("/api/predict?{}", values.join("&")), &good);
    assert_eq!(status, 200, "{told}");
    let (_, about) = server.json("GET", "/api/model", b"");
    for (value, name) in
        [(&told, "Told"), (&told["answer"], "Answer"), (&told["windows"][0], "Answer"), (&about, "About")]
    {
        assert_eq!(fields(value), fields(&schema(name)["properties"]), "{name}");
    }
    assert_eq!(fields(&told["picture"]), fields(&schema("Told")["properties"]["picture"]["properties"]));
    assert_eq!(fields(&about["limits"]), fields(&schema("About")["properties"]["limits"]["properties"]));
}

/// The page asks for nothing but what this server has.
#[test]
fn the_page_is_whole() {
    let server = Server::start(&[]);
    let (status, page) = server.request("GET", "/", b"");
    assert!(status == 200 && page.starts_with("<!doctype html>"));
    let script = server.request("GET", "/page.js", b"").1;
    let quoted = |text: &str, before: &str, after: char| -> Vec<String> {
        let parts = text.split(before).skip(1);
        parts.map(|part| format!("/{}", part.split(after).next().unwrap())).collect()
    };
    let mut wanted = [quoted(&page, "href=\"/", '"'), quoted(&page, "src=\"/", '"')].concat();
    wanted.extend(quoted(&script, "addModule('/", '\''));
    assert_eq!(wanted.len(), 5, "{wanted:?}");
    for path in wanted {
        assert_eq!(server.request("GET", &path, b"").0, 200, "{path}");
    }
    assert!(!page.contains("http://") && !script.contains("https://"));
}
