//! Which part listens on which loopback port.

use std::collections::BTreeMap;
use std::fs::File;
use std::net::TcpListener;
use std::path::Path;

use anyhow::{Context, Result, bail};
use rand::Rng;

/// Every port of a stack, by the name of what listens on it.
#[derive(Debug, Default)]
pub struct Ports {
    by_name: BTreeMap<String, u16>,
    /// Holds the reservations of random ports for as long as the stack lives.
    reservations: Vec<File>,
}

impl Ports {
    /// The fixed ports of `deploy/local/ports.toml`: a base and an offset a name. `WATHIQ_PORT_BASE` moves all,
    /// `WATHIQ_PORT_<NAME>` (upper case, `_` for `-`) moves one.
    ///
    /// # Errors
    /// When the file or a variable does not hold port numbers.
    pub fn fixed(root: &Path, variable: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let path = root.join("deploy/local/ports.toml");
        let text =
            std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        Self::from_table(&text, variable).with_context(|| format!("ports of {}", path.display()))
    }

    fn from_table(text: &str, variable: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let table: PortTable = toml::from_str(text)?;
        let number = |name: &str| -> Result<Option<u16>> {
            variable(name)
                .map(|value| {
                    value
                        .parse()
                        .with_context(|| format!("{name}={value} is not a port number"))
                })
                .transpose()
        };
        let base = number("WATHIQ_PORT_BASE")?.unwrap_or(table.base);
        let mut by_name = BTreeMap::new();
        for (name, offset) in table.offsets {
            let own = number(&format!("WATHIQ_PORT_{}", name.to_uppercase().replace('-', "_")))?;
            let port = match own {
                Some(port) => port,
                None => base
                    .checked_add(offset)
                    .with_context(|| format!("port of {name} is above 65535"))?,
            };
            by_name.insert(name, port);
        }
        Ok(Self {
            by_name,
            reservations: Vec::new(),
        })
    }

    /// The port of `name`.
    ///
    /// # Errors
    /// When no port was allotted under this name.
    pub fn get(&self, name: &str) -> Result<u16> {
        self.by_name
            .get(name)
            .copied()
            .with_context(|| format!("no port is allotted to {name}"))
    }

    /// Allots a free random port to `name` and reserves it against other stacks of this user.
    ///
    /// # Errors
    /// When no free port is found.
    pub fn allot(&mut self, name: &str) -> Result<u16> {
        let (port, reservation) = random_free_port()?;
        self.by_name.insert(name.to_owned(), port);
        self.reservations.push(reservation);
        Ok(port)
    }

    /// Fails when something else already listens on the port of `name`.
    ///
    /// # Errors
    /// Names the port, what wants it and how to move it.
    pub fn check_free(&self, name: &str) -> Result<()> {
        let port = self.get(name)?;
        if TcpListener::bind(("127.0.0.1", port)).is_err() {
            bail!(
                "port {port}, which {name} needs, is taken by another program; free it, or set \
                 WATHIQ_PORT_{}=<port> or WATHIQ_PORT_BASE=<first port>",
                name.to_uppercase().replace('-', "_")
            );
        }
        Ok(())
    }
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct PortTable {
    base: u16,
    offsets: BTreeMap<String, u16>,
}

/// A free port below the range that the kernel hands to outgoing connections, with a lock on it that other stacks of
/// this user respect between this moment and the moment the part itself listens.
pub fn random_free_port() -> Result<(u16, File)> {
    let user = rustix::process::geteuid().as_raw();
    // Not the temporary folder of the environment, which each test stack has of its own.
    let folder = Path::new("/tmp").join(format!("wathiq-ports-{user}"));
    std::fs::create_dir_all(&folder)?;
    let mut random = rand::rng();
    for _ in 0..500 {
        let port = 20_000 + (random.next_u32() % 12_000) as u16;
        let file = File::options()
            .create(true)
            .append(true)
            .open(folder.join(port.to_string()))?;
        if file.try_lock().is_ok() && TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return Ok((port, file));
        }
    }
    bail!("no free port found between 20000 and 32000")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "base = 8400\n[offsets]\ngateway = 0\nkafka-controller = 6\n";

    #[test]
    fn one_variable_moves_all_and_another_moves_one() {
        let ports = Ports::from_table(TABLE, |_| None).unwrap();
        assert_eq!(ports.get("kafka-controller").unwrap(), 8406);
        let moved = Ports::from_table(TABLE, |name| match name {
            "WATHIQ_PORT_BASE" => Some("9000".into()),
            "WATHIQ_PORT_KAFKA_CONTROLLER" => Some("7777".into()),
            _ => None,
        })
        .unwrap();
        assert_eq!(
            (
                moved.get("gateway").unwrap(),
                moved.get("kafka-controller").unwrap()
            ),
            (9000, 7777)
        );
    }

    #[test]
    fn a_wrong_number_is_named() {
        let error = Ports::from_table(TABLE, |name| {
            (name == "WATHIQ_PORT_GATEWAY").then(|| "many".into())
        })
        .unwrap_err();
        assert!(error.to_string().contains("WATHIQ_PORT_GATEWAY=many"));
    }

    #[test]
    fn a_taken_port_names_itself_its_user_and_the_way_out() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let ports = Ports::from_table(TABLE, |name| {
            (name == "WATHIQ_PORT_GATEWAY").then(|| port.to_string())
        })
        .unwrap();
        let text = ports.check_free("gateway").unwrap_err().to_string();
        assert!(
            text.contains(&port.to_string()) && text.contains("gateway"),
            "{text}"
        );
        assert!(text.contains("WATHIQ_PORT_GATEWAY="), "{text}");
    }

    #[test]
    fn reserved_ports_differ() {
        let mut ports = Ports::default();
        let first = ports.allot("a").unwrap();
        let second = ports.allot("b").unwrap();
        assert_ne!(first, second);
    }
}
