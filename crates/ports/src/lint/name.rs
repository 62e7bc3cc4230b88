//! Names of settings, variables and options that hold a port.

use portreg::in_capitals;

/// Ports that are no TCP or UDP ports.
const OTHER_PORTS: [&str; 7] = ["SERIAL", "USB", "COM", "GPIO", "MIDI", "UART", "TTY"];

/// The last words of a name, in capitals: of `http.webuiPort`, `WEBUI` and `PORT`.
fn last_words(name: &str) -> (String, String) {
    let words = in_capitals(name);
    let mut words = words.rsplit('_').filter(|word| !word.is_empty());
    let last = words.next().unwrap_or_default().to_owned();
    (words.next().unwrap_or_default().to_owned(), last)
}

/// Whether a name is that of a port: `port`, `webuiPort`, `API_PORT`, `http-port`.
pub(crate) fn is_port(name: &str) -> bool {
    // Most names are told by their end.
    if !ends_with(name, "port") {
        return false;
    }
    let (before, last) = last_words(name);
    last == "PORT" && !OTHER_PORTS.contains(&&*before)
}

/// Whether a name is that of several: `ports`, `allowedTCPPorts`.
pub(crate) fn is_ports(name: &str) -> bool {
    ends_with(name, "ports") && last_words(name).1 == "PORTS"
}

/// Whether a name is that of ranges: `allowedUDPPortRanges`.
pub(crate) fn is_port_ranges(name: &str) -> bool {
    let (before, last) = last_words(name);
    before == "PORT" && matches!(&*last, "RANGE" | "RANGES")
}

/// Whether it is the name of a variable of the environment, or of a constant.
pub(crate) fn is_capitals(name: &str) -> bool {
    !name.bytes().any(|byte| byte.is_ascii_lowercase())
}

fn ends_with(name: &str, end: &str) -> bool {
    let start = name.len().saturating_sub(end.len());
    name.get(start..).is_some_and(|last| last.eq_ignore_ascii_case(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_by_their_last_word() {
        for name in
            ["port", "PORT", "Port", "webuiPort", "API_PORT", "http-port", "server.port", "x_port"]
        {
            assert!(is_port(name), "{name}");
        }
        for name in [
            "",
            "ports",
            "transport",
            "SUPPORT",
            "viewport",
            "export",
            "portal",
            "port1",
            "usbPort",
            "SERIAL_PORT",
            "report",
            "p\u{f6}rt",
        ] {
            assert!(!is_port(name), "{name}");
        }
        assert!(is_ports("allowedTCPPorts") && is_ports("ports") && is_ports("container_ports"));
        assert!(!is_ports("reports") && !is_ports("port"));
        assert!(is_port_ranges("allowedUDPPortRanges") && !is_port_ranges("ipRange"));
        assert!(is_capitals("API_PORT") && !is_capitals("Api_PORT"));
    }
}
