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
    /// What to connect to, and the Host of requests.
    address: String,
    folder: TempDir,
}

impl Server {
    /// In a folder with a model, on any free port.
    fn start(arguments: &[&str]) -> Self {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("model.safetensors"), sound::model().to_bytes().unwrap()).unwrap();
        let all = [&["serve", "--model", "model.safetensors", "--port", "0"], arguments].concat();
        let log = fs::File::create(folder.path().join("log")).unwrap();
        let mut child = common::command(folder.path(), &all).stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let port = line.trim().rsplit_once(':').unwrap().1;
        Self { child, address: format!("127.0.0.1:{port}"), folder }
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

    /// A request's head, with more header lines.
    fn head(&self, method: &str, path: &str, length: usize, more: &str) -> Vec<u8> {
        let host = &self.address;
        let lines = format!("Host: {host}\r\nContent-Length: {length}\r\nConnection: close\r\n{more}\r\n");
        format!("{method} {path} HTTP/1.1\r\n{lines}").into_bytes()
    }

    /// A connection on which a head was sent, and some of the `length` bytes that it announces.
    fn begin(&self, path: &str, length: usize, part: &[u8]) -> TcpStream {
        let mut stream = self.connect();
        // A server that refuses does not wait for the rest.
        let _ = stream.write_all(&[&self.head("POST", path, length, ""), part].concat());
        stream
    }

    /// Connections that keep every core busy for ten seconds or more.
    fn compute(&self) -> Vec<TcpStream> {
        let long = wav(self.folder.path(), 95.0);
        let workers = std::thread::available_parallelism().unwrap().get();
        let path = "/api/predict?window=2&hop=0.01&vad=false";
        let streams = (0..workers).map(|_| self.begin(path, long.len(), &long)).collect();
        std::thread::sleep(Duration::from_millis(700));
        streams
    }

    fn request(&self, method: &str, path: &str, body: &[u8]) -> (u16, String) {
        self.raw(&[&self.head(method, path, body.len(), ""), body].concat())
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
        ("POST", "/api/predict?window=-1", &good, 400, "at least 0.01 s"),
        ("POST", "/api/predict?window=NaN", &good, 400, "at least 0.01 s"),
        ("POST", "/api/predict?window=1&hop=0", &good, 400, "at least 0.01 s"),
        ("POST", "/api/predict?window=1&hop=NaN", &good, 400, "at least 0.01 s"),
        ("POST", "/api/predict?window=1&hop=0.0001", &good, 400, "at least 0.01 s"),
        ("POST", "/api/predict?window=0.0001&hop=1", &good, 400, "at least 0.01 s"),
        ("POST", "/api/predict?window=wide", &good, 400, "window"),
        ("POST", "/api/predict?widnow=1", &good, 400, "widnow"),
        ("GET", post, b"", 405, "method"),
        ("DELETE", "/api/model", b"", 405, "method"),
        ("PUT", post, &good, 405, "method"),
        ("OPTIONS", post, b"", 405, "method"),
        ("TRACE", "/", b"", 405, "method"),
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
    let head = |rest: &str| {
        let host = &server.address;
        format!("POST /api/predict HTTP/1.1\r\nHost: {host}\r\n{rest}Connection: close\r\n\r\n").into_bytes()
    };
    for (bytes, status) in [
        (head("Transfer-Encoding: chunked\r\n"), 411),
        (head("Content-Length: 99999999999999999999\r\n"), 400),
        (head("Content-Length: -1\r\n"), 400),
        (head(&format!("X: {}\r\n", "x".repeat(64 << 10))), 431),
        (head(&"X: y\r\n".repeat(200)), 431),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01".to_vec(), 400),
    ] {
        let (found, text) = server.raw(&bytes);
        assert_eq!(found, status, "{} {text}", String::from_utf8_lossy(&bytes[..bytes.len().min(80)]));
    }
    assert_eq!(server.json("POST", post, &good).0, 200);
}

#[test]
fn a_page_of_another_site_gets_no_answer_from_its_readers_server() {
    let server = Server::start(&[]);
    let good = wav(server.folder.path(), 1.0);
    let (own, port) = (&server.address, server.address.rsplit(':').next().unwrap());
    let ask = |method: &str, path: &str, more: &str| {
        let body = if method == "POST" { &good[..] } else { b"" };
        let mut stream = server.connect();
        let _ = stream.write_all(&[&server.head(method, path, body.len(), more), body].concat());
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer);
        assert!(!answer.to_lowercase().contains("access-control"), "{answer}");
        let status: u16 = answer.split(' ').nth(1).unwrap().parse().unwrap();
        assert_eq!(status == 403, answer.contains("another site"), "{answer}");
        status
    };
    let preflight = "Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: content-type\r\n";
    for bad in [
        "Origin: https://evil.example\r\nContent-Type: text/plain\r\nSec-Fetch-Site: cross-site\r\n",
        "Origin: https://evil.example\r\n",
        "Origin: null\r\n",
        "Origin: http://localhost:1\r\n",
        "Sec-Fetch-Site: cross-site\r\n",
        "Sec-Fetch-Site: same-site\r\n",
        &format!("Origin: http://{own}\r\nOrigin: https://evil.example\r\n"),
        &format!("Origin: http://evil.example:{port}\r\n"),
        &format!("Origin: http://{own}.evil.example\r\n"),
        &format!("Origin: http://{own}\r\nSec-Fetch-Site: cross-site\r\n"),
    ] {
        for (method, path) in [("POST", "/api/predict"), ("GET", "/api/model"), ("GET", "/"), ("GET", "/nowhere")] {
            assert_eq!(ask(method, path, bad), 403, "{method} {path} {bad}");
        }
        assert_eq!(ask("OPTIONS", "/api/predict", &format!("{bad}{preflight}")), 403, "{bad}");
    }
    for good in [
        "",
        "Content-Type: text/plain\r\n",
        "Sec-Fetch-Site: none\r\n",
        &format!("Origin: http://{own}\r\nSec-Fetch-Site: same-origin\r\n"),
        &format!("Origin: http://localhost:{port}\r\n"),
    ] {
        assert_eq!(ask("POST", "/api/predict", good), 200, "{good}");
        assert_eq!(ask("GET", "/api/model", good), 200, "{good}");
        assert_eq!(ask("OPTIONS", "/api/predict", &format!("{good}{preflight}")), 405, "{good}");
    }
}

#[test]
fn another_name_for_this_server_is_refused() {
    let get = |server: &Server, target: &str, hosts: &str| {
        let bytes = format!("GET {target} HTTP/1.1\r\n{hosts}Connection: close\r\n\r\n");
        let (status, text) = server.raw(bytes.as_bytes());
        assert!(status == 200 || status == 403 && text.contains("--allow-host"), "{target} {hosts}: {status} {text}");
        status == 200
    };
    let local = Server::start(&[]);
    let everywhere = Server::start(&["--host", "0.0.0.0", "--allow-host", "box", "--allow-host", "ser.example:8443"]);
    for server in [&local, &everywhere] {
        let port = server.address.rsplit(':').next().unwrap();
        let host = |name: &str| format!("Host: {name}\r\n");
        for good in ["127.0.0.1", "localhost", "[::1]"] {
            assert!(get(server, "/", &host(&format!("{good}:{port}"))), "{good}");
        }
        let evil = format!("evil.example:{port}");
        for bad in [&evil, "evil.example", "127.0.0.1", "localhost:1", &format!("127.0.0.1.nip.io:{port}"), "box:1"] {
            assert!(!get(server, "/", &host(bad)), "{bad}");
        }
        let own = host(&server.address);
        assert!(!get(server, "/", "") && !get(server, "/", &format!("{own}{own}")));
        assert!(!get(server, &format!("http://{evil}/"), &own) && !get(server, "/", &format!("{own}{}", host(&evil))));
        assert!(get(server, &format!("http://{}/", server.address), &own));
        for name in ["box", &format!("box:{port}"), "ser.example:8443"] {
            assert_eq!(get(server, "/", &host(name)), std::ptr::eq(server, &everywhere), "{name}");
        }
        assert!(!get(server, "/", &host("ser.example")));
    }
    let log = |server: &Server| fs::read_to_string(server.folder.path().join("log")).unwrap();
    assert!(log(&everywhere).contains("neither login nor TLS"), "{}", log(&everywhere));
    assert!(!log(&local).contains("TLS"), "{}", log(&local));
    let folder = TempDir::new().unwrap();
    let (code, _, err) = common::ser(folder.path(), &["serve", "--allow-host", "https://box"]);
    assert!(code == 2 && err.contains("host name"), "{err}");
}

#[test]
fn uploads_that_are_announced_and_do_not_come_delay_nobody() {
    let server = Server::start(&[]);
    let good = wav(server.folder.path(), 1.0);
    let large = 32 << 20;
    let mut slow: Vec<TcpStream> = (0..300).map(|_| server.begin("/api/predict", large, b"RIFF")).collect();
    // Nor do eight that all but fill the memory there is.
    let nearly = vec![0; large - 1];
    slow.extend((0..8).map(|_| server.begin("/api/predict", large, &nearly)));
    let start = Instant::now();
    for _ in 0..5 {
        assert_eq!(server.json("POST", "/api/predict", &good).0, 200);
    }
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    let (status, text) = response(slow.swap_remove(0));
    assert!(status == 408 && text.contains("less than 80 KiB in 5 s"), "{status} {text}");
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
}

/// Fast enough for every period, too slow for the whole.
#[test]
fn an_upload_has_to_end_in_time() {
    let server = Server::start(&["--timeout", "1"]);
    let (status, text) = response(server.begin("/api/predict", 1 << 20, &[0; 100 << 10]));
    assert!(status == 408 && text.contains("within 1 s"), "{status} {text}");
}

#[test]
fn too_many_recordings_and_answers_that_take_too_long_are_turned_away() {
    let server = Server::start(&["--timeout", "1", "--queue", "1"]);
    let good = wav(server.folder.path(), 1.0);
    let start = Instant::now();
    let busy = server.compute();
    let waits = server.begin("/api/predict", good.len(), &good);
    std::thread::sleep(Duration::from_millis(200));
    let (status, told) = server.json("POST", "/api/predict", &good);
    assert!(status == 503 && told["error"].as_str().unwrap().contains("too many"), "{told}");
    for stream in busy {
        let (status, text) = response(stream);
        assert!(status == 503 && text.contains("in time"), "{status} {text}");
    }
    assert!(start.elapsed() < Duration::from_secs(8), "{:?}", start.elapsed());
    assert!([200, 503].contains(&response(waits).0));
    assert_eq!(server.json("POST", "/api/predict", &good).0, 200);
    let (status, told) = server.json("POST", "/api/predict?window=2&hop=0.01", &wav(server.folder.path(), 103.0));
    assert!(status == 400 && told["error"].as_str().unwrap().contains("at most 10000"), "{told}");
}

#[test]
fn nothing_is_computed_for_a_client_that_has_gone() {
    let server = Server::start(&[]);
    let good = wav(server.folder.path(), 1.0);
    drop(server.compute());
    let start = Instant::now();
    assert_eq!(server.json("POST", "/api/predict", &good).0, 200);
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
}

/// More than the server keeps open, fewer where this process may not have so many.
#[test]
fn connections_that_do_nothing_keep_nobody_out() {
    let server = Server::start(&[]);
    let start = Instant::now();
    let mut idle: Vec<TcpStream> = (0..1200).map_while(|_| TcpStream::connect(&server.address).ok()).collect();
    idle.truncate(idle.len() - 2);
    assert_eq!(server.request("GET", "/", b"").0, 200);
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}

#[test]
fn requests_in_a_row_are_answered_in_order_and_not_without_end_for_one_who_does_not_read() {
    let server = Server::start(&["--timeout", "1"]);
    let host = &server.address;
    let ask = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n");
    let mut stream = server.connect();
    let last = server.head("GET", "/api/openapi.json", 0, "");
    stream.write_all(&[ask("/icon.svg").as_bytes(), &last].concat()).unwrap();
    let (_, both) = response(stream);
    assert!(both.find("<svg").unwrap() < both.find("openapi").unwrap(), "{both}");

    let mut stream = server.connect();
    let asks = ask("/page.js").repeat(4000);
    stream.set_write_timeout(Some(Duration::from_secs(1))).unwrap();
    // The server stops reading once its answers are not taken.
    let _ = stream.write_all(asks.as_bytes());
    std::thread::sleep(Duration::from_secs(14));
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let mut taken = Vec::new();
    let ended = stream.read_to_end(&mut taken);
    assert!(!matches!(&ended, Err(e) if e.kind() == std::io::ErrorKind::WouldBlock), "the connection is still open");
    assert!(String::from_utf8_lossy(&taken).matches("HTTP/1.1 200").count() < 4000);
}

#[test]
#[cfg(unix)]
fn told_to_stop_it_gives_the_answers_in_hand() {
    for signal in ["-TERM", "-INT"] {
        let mut server = Server::start(&[]);
        let good = wav(server.folder.path(), 1.0);
        let mut stream = server.begin("/api/predict", good.len(), b"");
        std::thread::sleep(Duration::from_millis(100));
        server.tell(signal);
        std::thread::sleep(Duration::from_millis(100));
        stream.write_all(&good).unwrap();
        assert_eq!(response(stream).0, 200);
        let start = Instant::now();
        assert!(server.child.wait().unwrap().success());
        assert!(start.elapsed() < Duration::from_secs(2));
    }
}

#[test]
#[cfg(unix)]
fn told_to_stop_it_ends_in_two_seconds_and_told_twice_at_once() {
    for signal in ["-INT", "-TERM"] {
        let mut server = Server::start(&[]);
        let _busy = server.compute();
        let start = Instant::now();
        server.tell(signal);
        assert!(server.child.wait().unwrap().success());
        assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());

        let mut server = Server::start(&[]);
        let _busy = server.compute();
        server.tell(signal);
        std::thread::sleep(Duration::from_millis(200));
        let start = Instant::now();
        server.tell(signal);
        assert_eq!(server.child.wait().unwrap().code(), Some(130));
        assert!(start.elapsed() < Duration::from_millis(500), "{:?}", start.elapsed());
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
