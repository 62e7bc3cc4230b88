//! What the image says about itself: the config file first, then the flags.

use std::path::Path;

use oci::{ImageConfig, RunConfig};
use serde_json::Value;

use crate::args::{ImageArgs, Pair};
use crate::error::BuildError;
use crate::input::read_limited;

/// When an image was made, unless somebody says.
const CREATED: &str = "1970-01-01T00:00:01Z";

/// Makes the config of an image that has no layers of its own yet: that of the base image, then the file's, then
/// what was typed.
pub(crate) fn image_config(
    args: &ImageArgs,
    cwd: &Path,
    base: Option<ImageConfig>,
    file: Option<Value>,
) -> Result<ImageConfig, BuildError> {
    let here = go_arch(std::env::consts::ARCH);
    let mut config = base.unwrap_or_else(|| ImageConfig::new(here, "linux", Vec::new()));
    if let Some(arch) = &args.arch {
        config.architecture.clone_from(arch);
    }
    if let Some(os) = &args.os {
        config.os.clone_from(os);
    }
    let created = args.created.clone().map_or_else(|| CREATED.parse(), Ok);
    config.created = created.ok();
    if let Some(file) = file {
        let over = RunConfig::from_any_case(file).map_err(BuildError::SpecConfig)?;
        overlay(&mut config.config, over);
    }
    if let Some(path) = &args.config {
        let limit = ImageConfig::LIMIT as u64;
        let bytes = read_limited(&cwd.join(path), limit)
            .map_err(|source| BuildError::Read { path: path.clone(), source })?;
        let over = serde_json::from_slice(&bytes)
            .and_then(RunConfig::from_any_case)
            .map_err(|source| BuildError::Config { path: path.clone(), source })?;
        overlay(&mut config.config, over);
    }
    flags(&mut config.config, args);
    Ok(config)
}

/// Puts a config on top of another one: lists are replaced, variables, labels, ports and volumes are added.
fn overlay(run: &mut RunConfig, over: RunConfig) {
    if !over.entrypoint.is_empty() {
        // The arguments of another program are none of this one.
        run.cmd.clear();
    }
    replace(&mut run.entrypoint, &over.entrypoint);
    replace(&mut run.cmd, &over.cmd);
    for entry in &over.env {
        let (name, value) = entry.split_once('=').unwrap_or((entry, ""));
        set_variable(&mut run.env, name, value);
    }
    for (own, new) in [
        (&mut run.user, over.user),
        (&mut run.working_dir, over.working_dir),
        (&mut run.stop_signal, over.stop_signal),
    ] {
        if !new.is_empty() {
            *own = new;
        }
    }
    run.exposed_ports.extend(over.exposed_ports);
    run.volumes.extend(over.volumes);
    run.labels.extend(over.labels);
    run.args_escaped |= over.args_escaped;
    run.other.extend(over.other);
}

fn flags(run: &mut RunConfig, args: &ImageArgs) {
    if !args.entrypoint.is_empty() && run.entrypoint != args.entrypoint {
        run.cmd.clear();
    }
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
