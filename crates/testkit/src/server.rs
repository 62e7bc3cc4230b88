//! Real servers on free ports, stopped with all their processes when dropped.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Child;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::sandbox::require;
use crate::{Run, Sandbox};

/// How long a server may take until its port answers.
const START: Duration = Duration::from_secs(20);

/// A port that is free now may be taken a moment later: then the next one is tried.
const TRIES: usize = 5;

/// A server that runs until it is dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
    address: SocketAddr,
    log: PathBuf,
}

impl Server {
    /// Starts a server: `command` gets the address to listen on, and its port must answer soon. What it prints is kept
    /// in a file below the sandbox, see [`Server::log`].
    pub fn start(sandbox: &Sandbox, name: &str, command: impl Fn(SocketAddr) -> Run) -> Self {
        let mut last = String::new();
        for _ in 0..TRIES {
            let address = free_address();
            let log = sandbox.root().join(format!("{name}-{}.log", address.port()));
            let child = command(address).spawn_logged(&log);
            let mut server = Self { child, address, log };
            if server.answers() {
                return server;
            }
            last = server.log();
        }
        panic!("{name} did not come up in {TRIES} tries; the last one printed:\n{last}");
    }

    /// What it printed so far.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs_err::read(&self.log).unwrap()).into_owned()
    }

    /// Starts Debian's `docker-registry`, with its storage and its log below the sandbox. With a `login` it wants that
    /// user name and password.
    pub fn docker_registry(sandbox: &Sandbox, login: Option<(&str, &str)>) -> Self {
        let program = require("docker-registry", "apt-get install docker-registry");
        let folder = sandbox.root().join("docker-registry");
        fs_err::create_dir_all(&folder).unwrap();
        let auth = login.map_or_else(String::new, |(user, password)| {
            let file = htpasswd(sandbox, &folder, user, password);
            format!("auth: {{htpasswd: {{realm: basic-realm, path: {}}}}}\n", file.display())
        });
        Self::start(sandbox, "docker-registry", |address| {
            let config = folder.join("config.yml");
            fs_err::write(
                &config,
                format!(
                    "version: 0.1\n\
                     log: {{level: warn, accesslog: {{disabled: true}}}}\n\
                     storage: {{cache: {{blobdescriptor: inmemory}}, filesystem: {{rootdirectory: {}}}, \
                     delete: {{enabled: true}}, maintenance: {{uploadpurging: {{enabled: false}}}}}}\n\
                     http: {{addr: {address}, secret: x}}\n{auth}",
                    folder.join("storage").display(),
                ),
            )
            .unwrap();
            sandbox.run(&program).arg("serve").arg(&config)
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    fn answers(&mut self) -> bool {
        let end = Instant::now() + START;
        while Instant::now() < end {
            if self.child.try_wait().unwrap().is_some() {
                return false;
            }
            if TcpStream::connect(self.address).is_ok() {
                return true;
            }
            thread::sleep(Duration::from_millis(10));
        }
        false
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if thread::panicking() {
            // The test's own output is where a reader looks first.
            eprintln!("the server at {} printed:\n{}", self.address, self.log());
        }
        // It may have ended by itself.
        let _gone = kill_process_group(Pid::from_child(&self.child), Signal::KILL);
        drop(self.child.wait());
    }
}

/// An address on loopback that nobody listens on at this moment.
fn free_address() -> SocketAddr {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap()
}

fn htpasswd(sandbox: &Sandbox, folder: &Path, user: &str, password: &str) -> PathBuf {
    let program = require("htpasswd", "apt-get install apache2-utils");
    // The registry takes bcrypt only.
    let line = sandbox.run(program).args(["-Bbn", user, password]).output().code(0).stdout;
    let file = folder.join("htpasswd");
    fs_err::write(&file, line).unwrap();
    file
}
