//! Which requests are for this server and not made by a page of another site: Host, Origin and Sec-Fetch-Site.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, HeaderName, Uri, header, uri::Authority};

/// Sent by browsers: how the page that asks is related to this server.
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The names of this server, as they stand in a Host header.
#[derive(Debug)]
pub struct Site {
    listening: SocketAddr,
    allowed: Vec<String>,
}

impl Site {
    /// For a server that listens on an address, and the names of `--allow-host`: with a port exactly as they are, without
    /// one with the server's port and without any (a proxy on port 80 or 443).
    pub fn new(listening: SocketAddr, names: &[Name]) -> Self {
        let port = listening.port();
        let with_ports = |Name(name): &Name| match name.port() {
            Some(_) => vec![name.to_string()],
            None => vec![name.to_string(), format!("{name}:{port}")],
        };
        Self { listening, allowed: names.iter().flat_map(with_ports).collect() }
    }

    /// Refuses what another site may have sent through a browser; programs that send neither Origin nor Sec-Fetch-Site
    /// need the right Host only. `local` is this server's end of the connection.
    ///
    /// # Errors
    /// What is wrong with the request and what to do.
    pub fn check(&self, local: SocketAddr, uri: &Uri, headers: &HeaderMap) -> Result<(), String> {
        let names = self.names(local.ip());
        let ours = |name: &str| names.iter().chain(&self.allowed).any(|ours| ours.eq_ignore_ascii_case(name));
        let values = |name: &HeaderName| -> Vec<String> {
            headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).collect()
        };
        let (hosts, target) = (values(&header::HOST), uri.authority().map_or("", Authority::as_str));
        // A site whose name was pointed at this machine could otherwise read answers (DNS rebinding).
        if hosts.len() != 1 || !ours(&hosts[0]) || !(target.is_empty() || ours(target)) {
            let host = if hosts.len() == 1 && !target.is_empty() { target.to_owned() } else { hosts.join(", ") };
            return Err(format!(
                "the Host {host:?} is not a name of this server, which is http://{}; if it should be, start ser serve with \
                 --allow-host NAME",
                names[0]
            ));
        }
        let own_page = |origin: &String| {
            let name = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
            name.is_some_and(ours)
        };
        for (name, good) in [
            (header::ORIGIN, &own_page as &dyn Fn(&String) -> bool),
            (SEC_FETCH_SITE, &|site| site == "same-origin" || site == "none"),
        ] {
            if let Some(value) = values(&name).into_iter().find(|value| !good(value)) {
                return Err(format!(
                    "a page of another site asks ({name}: {value}), which is refused; enter http://{} in the browser's \
                     address bar, or use a program such as curl",
                    names[0]
                ));
            }
        }
        Ok(())
    }

    /// The addresses of a connection that ends here at `local`. An address of digits is safe on any connection: no
    /// site's name leads to it.
    fn names(&self, local: IpAddr) -> Vec<String> {
        let local = local.to_canonical();
        let text = |ip: IpAddr| if ip.is_ipv6() { format!("[{ip}]") } else { ip.to_string() };
        let mut names = vec![text(local)];
        if local.is_loopback() {
            names.extend(["localhost", "127.0.0.1", "[::1]"].map(str::to_owned));
        }
        names.push(text(self.listening.ip()));
        let port = self.listening.port();
        let mut with_ports: Vec<String> = names.iter().map(|name| format!("{name}:{port}")).collect();
        if port == 80 {
            with_ports.extend(names);
        }
        with_ports
    }
}

/// A name of `--allow-host`.
#[derive(Debug, Clone)]
pub struct Name(Authority);

impl std::str::FromStr for Name {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let name = text.parse::<Authority>().ok().filter(|name| !name.host().is_empty() && !text.contains(['@', '*']));
        name.map(Self).ok_or_else(|| {
            "a host name or an address is wanted, with or without a port, such as ser.example.org, box:7364 or [fd00::1]"
                .to_owned()
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use axum::http::HeaderValue;

    use super::*;

    fn asked(site: &Site, local: &str, headers: &[(&'static str, &str)]) -> bool {
        let headers = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_bytes(value.as_bytes()).unwrap()));
        site.check(local.parse().unwrap(), &Uri::from_static("/"), &headers.collect()).is_ok()
    }

    #[test]
    fn the_host_is_a_name_of_this_server() {
        let at = |listening: &str, local: &str, names: &[&str], host: &str| {
            let names: Vec<Name> = names.iter().map(|name| name.parse().unwrap()).collect();
            asked(&Site::new(listening.parse().unwrap(), &names), local, &[("host", host)])
        };
        let local = "127.0.0.1:7364";
        for (listening, local, names, good, bad) in [
            (
                local,
                local,
                &[][..],
                &["localhost:7364", "LOCALHOST:7364", "127.0.0.1:7364", "[::1]:7364"][..],
                &[
                    "localhost",
                    "localhost:80",
                    "localhost.:7364",
                    "x@localhost:7364",
                    "evil:7364",
                    "192.168.1.2:7364",
                    "",
                ][..],
            ),
            ("127.0.0.1:80", "127.0.0.1:80", &[], &["localhost", "localhost:80", "[::1]"], &["localhost:7364", "evil"]),
            ("[::1]:9", "[::1]:9", &[], &["[::1]:9", "localhost:9"], &["::1:9", "[::2]:9"]),
            (
                "192.168.1.2:9",
                "192.168.1.2:9",
                &[],
                &["192.168.1.2:9"],
                &["localhost:9", "127.0.0.1:9", "192.168.1.3:9"],
            ),
            ("0.0.0.0:9", "192.168.1.2:9", &[], &["192.168.1.2:9", "0.0.0.0:9"], &["localhost:9", "evil:9"]),
            ("0.0.0.0:9", "127.0.0.1:9", &[], &["localhost:9", "127.0.0.1:9"], &["192.168.1.2:9", "evil:9"]),
            ("[::]:9", "[::ffff:192.168.1.2]:9", &[], &["192.168.1.2:9"], &["[::ffff:192.168.1.2]:9", "localhost:9"]),
            ("[::]:9", "[fd00::1]:9", &["box"], &["[fd00::1]:9", "box", "Box:9"], &["box:8", "box.example:9", "ox"]),
            (local, local, &["a.example:443", "b.example"], &["a.example:443", "b.example"], &["a.example:7364"]),
        ] {
            good.iter().for_each(|host| assert!(at(listening, local, names, host), "{listening} {local} {host}"));
            bad.iter().for_each(|host| assert!(!at(listening, local, names, host), "{listening} {local} {host}"));
        }
    }

    #[test]
    fn a_name_is_no_pattern_and_no_address_of_a_page() {
        for bad in ["", "*", "*.example.org", "https://ser.example.org", "me@box", "a b", "box/path", "::1", ":80"] {
            assert!(bad.parse::<Name>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_page_of_another_site_is_refused_in_every_header() {
        let site = Site::new("127.0.0.1:9".parse().unwrap(), &["ser.example".parse().unwrap()]);
        let host = ("host", "localhost:9");
        let ask = |headers: &[(&'static str, &str)]| asked(&site, "127.0.0.1:9", &[&[host], headers].concat());
        for good in ["http://localhost:9", "http://127.0.0.1:9", "https://ser.example", "http://ser.example:9"] {
            assert!(ask(&[("origin", good)]), "{good}");
        }
        for bad in
            ["null", "", "http://localhost", "http://localhost:8", "https://evil", "localhost:9", "ftp://localhost:9"]
        {
            assert!(!ask(&[("origin", bad)]), "{bad}");
            assert!(!ask(&[("origin", "http://localhost:9"), ("origin", bad)]), "{bad}");
        }
        assert!(ask(&[("sec-fetch-site", "none")]) && ask(&[("sec-fetch-site", "same-origin")]));
        assert!(!ask(&[("sec-fetch-site", "cross-site")]) && !ask(&[("sec-fetch-site", "same-site")]));
        assert!(!asked(&site, "127.0.0.1:9", &[host, host]) && !asked(&site, "127.0.0.1:9", &[]));
    }
}
