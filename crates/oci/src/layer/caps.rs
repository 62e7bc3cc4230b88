//! File capabilities: the text that `setcap` takes, and the attribute that the kernel reads.
//!
//! <https://man7.org/linux/man-pages/man7/capabilities.7.html> and `cap_from_text(3)`. The attribute is that of
//! version 2 (`linux/capability.h`): 20 bytes, little-endian.

use std::str::FromStr;

/// The names, by number.
const NAMES: [&str; 41] = [
    "chown",
    "dac_override",
    "dac_read_search",
    "fowner",
    "fsetid",
    "kill",
    "setgid",
    "setuid",
    "setpcap",
    "linux_immutable",
    "net_bind_service",
    "net_broadcast",
    "net_admin",
    "net_raw",
    "ipc_lock",
    "ipc_owner",
    "sys_module",
    "sys_rawio",
    "sys_chroot",
    "sys_ptrace",
    "sys_pacct",
    "sys_admin",
    "sys_boot",
    "sys_nice",
    "sys_resource",
    "sys_time",
    "sys_tty_config",
    "mknod",
    "lease",
    "audit_write",
    "audit_control",
    "setfcap",
    "mac_override",
    "mac_admin",
    "syslog",
    "wake_alarm",
    "block_suspend",
    "audit_read",
    "perfmon",
    "bpf",
    "checkpoint_restore",
];

/// `VFS_CAP_REVISION_2` and `VFS_CAP_FLAGS_EFFECTIVE`.
const REVISION: u32 = 0x0200_0000;
const EFFECTIVE: u32 = 1;

/// The capabilities of a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Capabilities {
    permitted: u64,
    inheritable: u64,
    is_effective: bool,
}

/// A text names no capabilities.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CapabilitiesError {
    /// Neither `=` nor `+` in a clause.
    #[error("`{0}` has neither `=` nor `+`: write it `cap_net_bind_service=ep`")]
    Clause(String),
    /// A name that the kernel does not have.
    #[error("there is no capability `{0}`")]
    Name(String),
    /// Other letters than e, i and p.
    #[error("`{0}` must be letters of `eip`")]
    Flags(String),
    /// A file has one effective bit for all of its capabilities.
    #[error("either all capabilities of a file are effective or none is")]
    Effective,
}

impl Capabilities {
    /// The value of the attribute `security.capability`.
    pub(crate) fn attribute(self) -> [u8; 20] {
        let magic = REVISION | if self.is_effective { EFFECTIVE } else { 0 };
        let (low, high) = (|set: u64| set.to_le_bytes(), |set: u64| (set >> 32).to_le_bytes());
        let mut out = [0; 20];
        out[..4].copy_from_slice(&magic.to_le_bytes());
        out[4..8].copy_from_slice(&low(self.permitted)[..4]);
        out[8..12].copy_from_slice(&low(self.inheritable)[..4]);
        out[12..16].copy_from_slice(&high(self.permitted)[..4]);
        out[16..20].copy_from_slice(&high(self.inheritable)[..4]);
        out
    }
}

impl FromStr for Capabilities {
    type Err = CapabilitiesError;

    fn from_str(text: &str) -> Result<Self, CapabilitiesError> {
        let mut out = Self::default();
        let mut effective = 0;
        for clause in text.split_ascii_whitespace() {
            let at = clause.find(['=', '+']);
            let at = at.ok_or_else(|| CapabilitiesError::Clause(clause.to_owned()))?;
            let (names, flags) = (&clause[..at], &clause[at + 1..]);
            let set = set_of(names)?;
            if flags.is_empty() || !flags.bytes().all(|b| b"eip".contains(&b)) {
                return Err(CapabilitiesError::Flags(flags.to_owned()));
            }
            let reset = clause.as_bytes()[at] == b'=';
            for (letter, target) in
                [('p', &mut out.permitted), ('i', &mut out.inheritable), ('e', &mut effective)]
            {
                if reset {
                    *target &= !set;
                }
                if flags.contains(letter) {
                    *target |= set;
                }
            }
        }
        if effective != 0 && effective != out.permitted | out.inheritable {
            return Err(CapabilitiesError::Effective);
        }
        if out.permitted | out.inheritable == 0 {
            return Err(CapabilitiesError::Clause(text.to_owned()));
        }
        out.is_effective = effective != 0;
        Ok(out)
    }
}

fn set_of(names: &str) -> Result<u64, CapabilitiesError> {
    let mut set = 0;
    for name in names.split(',') {
        let lower = name.to_ascii_lowercase();
        if lower == "all" {
            set |= (1 << NAMES.len()) - 1;
            continue;
        }
        let number = lower
            .strip_prefix("cap_")
            .and_then(|short| NAMES.iter().position(|known| *known == short));
        set |= 1 << number.ok_or_else(|| CapabilitiesError::Name(name.to_owned()))?;
    }
    Ok(set)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_attribute_is_what_setcap_writes() {
        // `setcap cap_net_bind_service=ep FILE; getfattr -n security.capability -e hex FILE`.
        let caps: Capabilities = "cap_net_bind_service=ep".parse().unwrap();
        let expected = [1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(caps.attribute(), expected);
        let caps: Capabilities = "CAP_BPF,cap_chown+p cap_kill+i".parse().unwrap();
        let expected = [0, 0, 0, 2, 1, 0, 0, 0, 32, 0, 0, 0, 128, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(caps.attribute(), expected);
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let error = |text: &str| text.parse::<Capabilities>().unwrap_err();
        assert!(matches!(error("cap_chown"), CapabilitiesError::Clause(_)));
        assert!(matches!(error(""), CapabilitiesError::Clause(_)));
        assert!(matches!(error("=ep"), CapabilitiesError::Name(_)));
        assert!(matches!(error("net_raw=ep"), CapabilitiesError::Name(_)));
        assert!(matches!(error("cap_net_raw=x"), CapabilitiesError::Flags(_)));
        assert!(matches!(error("cap_chown=ep cap_kill=p"), CapabilitiesError::Effective));
    }
}
