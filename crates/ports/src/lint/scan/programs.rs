//! Programs whose `-p` or `-P` is a port. For others it is a path, a project, a password.

/// `-p N`.
const SMALL: [&str; 41] = [
    "clusterdb",
    "createdb",
    "createuser",
    "dropdb",
    "dropuser",
    "http-server",
    "iperf",
    "iperf3",
    "keydb-cli",
    "keydb-server",
    "live-server",
    "memcached",
    "mosquitto",
    "mosquitto_pub",
    "mosquitto_sub",
    "nats-server",
    "next",
    "nuxt",
    "pg_basebackup",
    "pg_ctl",
    "pg_dump",
    "pg_dumpall",
    "pg_isready",
    "pg_receivewal",
    "pg_restore",
    "pgbench",
    "pgcli",
    "postgres",
    "postmaster",
    "psql",
    "puma",
    "rackup",
    "rails",
    "redis-cli",
    "reindexdb",
    "serve",
    "ssh",
    "ssh-copy-id",
    "sshd",
    "vacuumdb",
    "valkey-cli",
];

/// `-P N`.
const LARGE: [&str; 9] = [
    "mariadb",
    "mariadb-admin",
    "mariadb-dump",
    "mysql",
    "mysqladmin",
    "mysqldump",
    "scp",
    "sftp",
    "sshfs",
];

/// `-p HOST:CONTAINER`.
const CONTAINERS: [&str; 4] = ["docker", "nerdctl", "podman", "docker-compose"];

/// What `-p` is to a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flag {
    /// A port.
    Port,
    /// A port of the host and one of a container.
    Mapping,
    /// It is not known.
    Unknown,
}

/// What a flag, `-p` or `-P`, is at the end of a command line.
pub(super) fn flag(command: &[u8], flag: &str) -> Flag {
    let start = command.iter().rposition(|byte| b"|;&(`\n".contains(byte)).map_or(0, |at| at + 1);
    let words =
        command[start..].split(|byte| byte.is_ascii_whitespace() || b"\"'=,[".contains(byte));
    let mut found = Flag::Unknown;
    for word in words {
        let name = word.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
        let Ok(name) = std::str::from_utf8(name) else { continue };
        if CONTAINERS.contains(&name) {
            found = Flag::Mapping;
        } else if (flag == "-p" && SMALL.contains(&name)) || (flag == "-P" && LARGE.contains(&name))
        {
            found = Flag::Port;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_program_of_the_command_counts() {
        for (command, name, expected) in [
            ("command: postgres -D /tmp -p", "-p", Flag::Port),
            ("/nix/store/x/bin/redis-cli -p", "-p", Flag::Port),
            ("mysql -p", "-p", Flag::Unknown),
            ("mysql -P", "-P", Flag::Port),
            ("docker run --rm -p", "-p", Flag::Mapping),
            ("docker exec db psql -p", "-p", Flag::Port),
            ("psql; mkdir -p", "-p", Flag::Unknown),
            ("redis && cp -p", "-p", Flag::Unknown),
            ("cargo test -p", "-p", Flag::Unknown),
        ] {
            assert_eq!(flag(command.as_bytes(), name), expected, "{command}");
        }
    }
}
