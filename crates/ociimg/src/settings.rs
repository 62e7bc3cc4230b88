//! What the image says about itself: the config file first, then the flags.

use std::path::Path;

use oci::{ImageConfig, RunConfig};

use crate::args::{ImageArgs, Pair};
use crate::error::BuildError;
use crate::input::read_limited;

/// Makes the config of an image that has no layers yet.
pub(crate) fn image_config(args: &ImageArgs, cwd: &Path) -> Result<ImageConfig, BuildError> {
    let arch = args.arch.as_deref().unwrap_or_else(|| go_arch(std::env::consts::ARCH));
    let mut config = ImageConfig::new(arch, &args.os, Vec::new());
    config.created = Some(args.created.clone());
    config.config = run_config(args, cwd)?;
    Ok(config)
}

fn run_config(args: &ImageArgs, cwd: &Path) -> Result<RunConfig, BuildError> {
    let mut run = match &args.config {
        None => RunConfig::default(),
        Some(path) => {
            let limit = ImageConfig::LIMIT as u64;
            let bytes = read_limited(&cwd.join(path), limit)
                .map_err(|source| BuildError::Read { path: path.clone(), source })?;
            serde_json::from_slice(&bytes)
                .and_then(RunConfig::from_any_case)
                .map_err(|source| BuildError::Config { path: path.clone(), source })?
        }
    };
    replace(&mut run.entrypoint, &args.entrypoint);
    replace(&mut run.cmd, &args.cmd);
    for Pair { name, value } in &args.env {
        set_variable(&mut run.env, name, value);
    }
    if let Some(user) = &args.user {
        run.user.clone_from(user);
    }
    if let Some(workdir) = &args.workdir {
        run.working_dir.clone_from(workdir);
    }
    if let Some(signal) = &args.stop_signal {
        run.stop_signal.clone_from(signal);
    }
    for port in &args.expose {
        run.exposed_ports.entry(port.0.clone()).or_default();
    }
    for volume in &args.volume {
        run.volumes.entry(volume.clone()).or_default();
    }
    for Pair { name, value } in &args.label {
        run.labels.insert(name.clone(), value.clone());
    }
    Ok(run)
}

/// Flags take the place of what the file has; without flags it stays.
fn replace(list: &mut Vec<String>, flags: &[String]) {
    if !flags.is_empty() {
        flags.clone_into(list);
    }
}

/// Sets a variable where it stands already, or behind the others.
fn set_variable(env: &mut Vec<String>, name: &str, value: &str) {
    let entry = format!("{name}={value}");
    let present = env.iter_mut().find(|entry| entry.split('=').next() == Some(name));
    match present {
        Some(present) => *present = entry,
        None => env.push(entry),
    }
}

/// Rust's name of a processor as Go has it.
pub(crate) fn go_arch(arch: &str) -> &str {
    match arch {
        "x86_64" => "amd64",
        "x86" => "386",
        "aarch64" => "arm64",
        "powerpc64" => "ppc64le",
        "loongarch64" => "loong64",
        same => same,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_keeps_its_place() {
        let mut env = vec!["A=1".to_owned(), "B=2".to_owned()];
        set_variable(&mut env, "A", "x=y");
        set_variable(&mut env, "C", "");
        assert_eq!(env, ["A=x=y", "B=2", "C="]);
    }
}
