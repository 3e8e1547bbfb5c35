//! The settings of notices to people and systems.

use std::path::PathBuf;

use clap::Args;
use faceattend_core::alerts::AlertReach;
use faceattend_core::camera::{CameraAccess, CameraHosts};

use super::parsed;
use crate::settings::NoticeSettings;

/// Where notices may be sent. Who is told of what is set on the page Notices.
#[derive(Debug, Clone, Args)]
pub(crate) struct NoticeArgs {
    /// The hosts of this machine and of the networks here that webhooks and letters may be sent to, beside those of
    /// the internet, separated by commas: addresses, ranges, names, `private`, `loopback` (this machine) or `any`
    /// [default: those of --camera-hosts]
    #[arg(
        long,
        env = "FACEATTEND_NOTICE_HOSTS",
        value_name = "HOSTS",
        value_delimiter = ',',
        value_parser = parsed::<CameraHosts>,
    )]
    notice_hosts: Option<Vec<CameraHosts>>,
    /// A PEM file of the authorities whose certificates are good for webhooks and mail servers [default: those of the
    /// web]
    #[arg(long, env = "FACEATTEND_NOTICE_CA", value_name = "FILE")]
    notice_ca: Option<PathBuf>,
}

impl NoticeArgs {
    /// Returns the settings; `camera_hosts` are those of the cameras.
    pub(crate) fn settings(&self, camera_hosts: &[CameraHosts]) -> NoticeSettings {
        let hosts = self.notice_hosts.clone().unwrap_or_else(|| camera_hosts.to_vec());
        NoticeSettings::default()
            .with_reach(AlertReach::new(CameraAccess::default().with_hosts(hosts)))
            .with_authorities(self.notice_ca.clone())
    }
}
