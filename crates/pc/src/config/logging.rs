//! Where output goes, and how.

use std::path::Path;

use super::files::normal;
use super::model::{LogConfiguration, LogTarget, Rotation};
use super::process::Rendering;
use super::tree::View;

/// The log of one replica: `{PC_REPLICA_NUM}` is its number; without it, several replicas get an ending each.
pub(crate) fn log_target(
    view: View<'_>,
    replica: u32,
    replicas: u32,
    folder: &Path,
    strings: &mut Rendering<'_, '_>,
) -> LogTarget {
    let text = strings.text(view.get("log_location"));
    let location = (!text.is_empty()).then(|| {
        let named = text.replace("{PC_REPLICA_NUM}", &replica.to_string());
        let named = if named == text && replicas > 1 { format!("{text}.{replica}") } else { named };
        normal(&folder.join(named))
    });
    LogTarget { location, configuration: log_configuration(view.get("log_configuration")) }
}

/// How a log file is written.
pub(crate) fn log_configuration(view: View<'_>) -> LogConfiguration {
    let rotation = view.get("rotation");
    let count = |key: &str| rotation.get(key).count().unwrap_or(0);
    LogConfiguration {
        is_given: view.is_there(),
        rotation: rotation.is_there().then(|| Rotation {
            max_size_mb: count("max_size_mb"),
            max_backups: count("max_backups"),
            max_age_days: count("max_age_days"),
            compress: rotation.get("compress").boolean(),
        }),
        disable_json: view.get("disable_json").boolean(),
        fields_order: view.get("fields_order").texts(),
        timestamp_format: view.get("timestamp_format").string(),
        no_color: view.get("no_color").boolean(),
        no_metadata: view.get("no_metadata").boolean(),
        add_timestamp: view.get("add_timestamp").boolean(),
        flush_each_line: view.get("flush_each_line").boolean(),
    }
}
