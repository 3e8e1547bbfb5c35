//! What no mark tells: who is absent at a time of the day, and which camera gives no pictures.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use faceattend_core::alerts::{absence_days, absent_at};
use faceattend_core::attendance::AttendancePolicy;
use faceattend_core::roster::RosterDays;
use faceattend_core::store::{AlertEvent, AlertRule, RosterOf, Store};
use faceattend_core::{Error, Result};
use jiff::Timestamp;
use jiff::civil::Date;

use super::super::background::BackgroundThreads;

/// How often it is looked who is absent, and which camera is down.
const ROUND: Duration = Duration::from_secs(5);

/// A kept camera that is to give pictures.
pub(crate) struct CameraPicture {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) location: Option<String>,
    /// Whether it gives some; `None` where another server answers for it.
    pub(crate) is_up: Option<bool>,
}

/// Every kept camera.
pub(crate) type CameraPictures = Box<dyn Fn() -> Result<Vec<CameraPicture>> + Send>;

struct Watch {
    store: Arc<dyn Store>,
    policy: AttendancePolicy,
    cameras: CameraPictures,
    /// Rules and days that are done with.
    told: BTreeSet<(i64, Date)>,
}

/// Starts the thread.
pub(in crate::live) fn start(
    store: Arc<dyn Store>,
    policy: AttendancePolicy,
    cameras: CameraPictures,
    threads: &BackgroundThreads,
) -> Result<()> {
    let mut watch = Watch { store, policy, cameras, told: BTreeSet::new() };
    let ends = threads.clone();
    threads.thread("notices-watch", move || {
        let mut failing = false;
        loop {
            match watch.look(Timestamp::now()) {
                Ok(()) => failing = false,
                Err(error) if !failing => {
                    tracing::warn!("who is absent, and which camera is down, cannot be looked at: {error}");
                    failing = true;
                }
                Err(_) => {}
            }
            if !ends.wait(ROUND) {
                return;
            }
        }
    })
}

impl Watch {
    fn look(&mut self, now: Timestamp) -> Result<()> {
        let rules = self.store.alert_rules()?;
        for rule in &rules {
            for day in absence_days(rule, &self.policy, now)? {
                self.tell_absences(rule, day, now)?;
            }
        }
        let down = self.store.cameras_down()?;
        if !down.is_empty() || rules.iter().any(|rule| rule.event == AlertEvent::CameraDown && !rule.paused) {
            self.look_at_cameras(&down, now)?;
        }
        Ok(())
    }

    fn tell_absences(&mut self, rule: &AlertRule, day: Date, now: Timestamp) -> Result<()> {
        if self.told.contains(&(rule.id, day)) {
            return Ok(());
        }
        if !self.store.absences_are_written(rule.id, day)? {
            let at = rule.settings.at.ok_or_else(|| Error::Internal { reason: "a rule without a time".into() })?;
            let moment = self.policy.moment(day, at)?;
            let days = RosterDays::read(&*self.store, &self.policy, RosterOf::Everybody, (day, day), moment)?;
            let absent = absent_at(&days, &self.policy, (day, at), rule.settings.groups.as_deref())?;
            if let Some(written) = self.store.write_absences(rule.id, day, &absent, now)? {
                tracing::info!(rule = rule.id, %day, absent = absent.len(), notices = written, "absences are told");
            }
        }
        self.told.insert((rule.id, day));
        while self.told.len() > 1000 {
            self.told.pop_first();
        }
        Ok(())
    }

    fn look_at_cameras(&self, down: &[i64], now: Timestamp) -> Result<()> {
        let cameras = (self.cameras)()?;
        for camera in &cameras {
            match camera.is_up {
                Some(false) => {
                    self.store.camera_is_down(camera.id, &camera.name, camera.location.as_deref(), now)?;
                }
                Some(true) if down.contains(&camera.id) => self.store.camera_is_up(camera.id)?,
                Some(true) | None => {}
            }
        }
        // One that is kept no longer is not down either.
        for id in down.iter().filter(|id| cameras.iter().all(|camera| camera.id != **id)) {
            self.store.camera_is_up(*id)?;
        }
        Ok(())
    }
}
