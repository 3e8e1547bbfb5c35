//! What both databases do alike with the cameras that are kept. There are few: every decision reads them all.

use jiff::Timestamp;

use super::codec::{FaceColumn, Form, NotOpened, Resealed, SealContext, TemplateForms, TemplateKeys, form_of_text};
use super::limits::{self, cut, fits, has_no_control_character, is_blank};
use super::text_keys::camera_key;
use super::{
    CameraGroup, CameraKey, CameraReach, CameraSettings, KeptAddress, KeptCamera, KeptCameraChange, NewKeptCamera,
};
use crate::camera::{CameraSource, Orientation, redacted};
use crate::error::{Error, Result};
use crate::gate::GatePolicy;

/// A row of `cameras`.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct CameraRow {
    pub(super) id: i64,
    pub(super) name: String,
    /// Without credentials.
    pub(super) address: String,
    /// The address with credentials, sealed where there is a key; none where it has none.
    pub(super) secret: Option<String>,
    /// The one server that reaches it; empty for any.
    pub(super) only_at: String,
    pub(super) camera_group: String,
    pub(super) location: Option<String>,
    /// In degrees clockwise.
    pub(super) turned: Option<i64>,
    pub(super) mirror: Option<bool>,
    pub(super) gate: Option<String>,
    pub(super) any_place: bool,
    pub(super) paused: bool,
    pub(super) created_at: Timestamp,
    pub(super) created_by: String,
    pub(super) changed_at: Timestamp,
    pub(super) changed_by: String,
}

/// The columns of a row, in the order of its fields.
pub(super) const COLUMNS: &str = "id, name, address, secret, only_at, camera_group, location, turned, mirror, gate,
    any_place, paused, created_at, created_by, changed_at, changed_by";

impl CameraRow {
    /// What makes names one.
    pub(super) fn name_key(&self) -> String {
        camera_key(&self.name)
    }

    /// The camera, as a store with these keys knows it.
    pub(super) fn opened(self, keys: &TemplateKeys) -> KeptCamera {
        let address = match &self.secret {
            None => KeptAddress::Known(self.address.clone()),
            Some(secret) => match opened(keys, self.id, secret) {
                Ok(address) => KeptAddress::Known(address),
                Err(refused) => KeptAddress::Locked(why_locked(&self.name, &refused)),
            },
        };
        let laptop = self.camera_group == CameraGroup::Laptop.as_str();
        KeptCamera {
            id: self.id,
            group: if laptop { CameraGroup::Laptop } else { CameraGroup::Usual },
            name: self.name,
            key: CameraKey { name: self.address, only_at: Some(self.only_at).filter(|server| !server.is_empty()) },
            address,
            location: self.location,
            turned: self.turned.and_then(|degrees| Orientation::from_degrees(degrees).ok()),
            mirror: self.mirror,
            gate: self.gate.and_then(|word| word.parse::<GatePolicy>().ok()),
            reach: if self.any_place { CameraReach::Anywhere } else { CameraReach::Permitted },
            paused: self.paused,
            created_at: self.created_at,
            created_by: self.created_by,
            changed_at: self.changed_at,
            changed_by: self.changed_by,
        }
    }

    fn is(&self, group: CameraGroup, address: &str, only_at: &str) -> bool {
        self.camera_group == group.as_str() && self.address == address && self.only_at == only_at
    }
}

/// The table in a transaction that changes it.
pub(super) trait CameraTable {
    type Fault: From<Error>;
    /// Every row, ordered by id.
    fn all(&mut self) -> Result<Vec<CameraRow>, Self::Fault>;
    /// Adds a row and returns its id; that of `row` does not matter.
    fn insert(&mut self, row: &CameraRow) -> Result<i64, Self::Fault>;
    fn update(&mut self, row: &CameraRow) -> Result<(), Self::Fault>;
    fn delete(&mut self, id: i64) -> Result<(), Self::Fault>;
}

const NO_CAMERA: Error = Error::NotFound { what: "camera" };
const TAKEN_NAME: Error = Error::Conflict { what: "camera with this name" };
const TAKEN_ADDRESS: Error = Error::Conflict { what: "camera with this address" };

/// Checks what somebody says of a camera.
pub(super) fn settings_fit(settings: &CameraSettings) -> Result<()> {
    fits("camera", &settings.address, limits::CAMERA_ADDRESS)?;
    CameraSource::parse(&settings.address)?;
    fits("camera location", settings.location.as_deref().unwrap_or_default(), limits::CAMERA_LOCATION)?;
    let Some(name) = &settings.name else { return Ok(()) };
    fits("camera name", name, limits::CAMERA_NAME)?;
    has_no_control_character("camera name", name)?;
    if is_blank(name) {
        return Err(Error::invalid_input("camera name", "it is empty"));
    }
    let may_be_address = name.contains("://") || name.contains('@') && name.contains(':');
    if may_be_address && redacted(name) != *name {
        return Err(Error::invalid_input("camera name", "it looks like an address with a password"));
    }
    Ok(())
}

pub(super) fn keep<T: CameraTable>(
    table: &mut T,
    keys: &TemplateKeys,
    new: &NewKeptCamera,
) -> Result<KeptCamera, T::Fault> {
    let all = table.all()?;
    let (address, only_at) = (redacted(&new.settings.address), new.only_at.as_deref().unwrap_or_default());
    if all.iter().any(|row| row.is(new.group, &address, only_at)) {
        return Err(TAKEN_ADDRESS.into());
    }
    if let Some(name) = &new.settings.name
        && is_taken(&all, name, None)
    {
        return Err(TAKEN_NAME.into());
    }
    add(table, keys, &all, new)
}

pub(super) fn keep_started<T: CameraTable>(
    table: &mut T,
    keys: &TemplateKeys,
    new: &NewKeptCamera,
    stays_in_place: impl FnOnce(&mut T, &CameraRow) -> Result<bool, T::Fault>,
) -> Result<KeptCamera, T::Fault> {
    let all = table.all()?;
    let settings = &new.settings;
    let (address, only_at) = (redacted(&settings.address), new.only_at.as_deref().unwrap_or_default());
    let Some(row) = all.iter().find(|row| row.is(new.group, &address, only_at)) else {
        return add(table, keys, &all, new);
    };
    let mut next = row.clone();
    let known = row.clone().opened(keys).address;
    let is_same = known.known() == Some(settings.address.as_str());
    if !is_same {
        next.secret = secret(keys, row.id, &settings.address)?;
    }
    next.any_place = new.reach == CameraReach::Anywhere || is_same && row.any_place;
    next.paused = false;
    let stays = is_same && !row.paused && stays_in_place(table, row)?;
    if let Some(location) = settings.location.as_ref().filter(|_| !stays) {
        next.location = Some(location.clone());
    }
    next.turned = settings.turned.map(|turned| turned.degrees().into()).or(row.turned);
    next.mirror = settings.mirror.or(row.mirror);
    if next != *row {
        (next.changed_at, next.changed_by) = (new.at, new.by.clone());
        table.update(&next)?;
    }
    Ok(next.opened(keys))
}

pub(super) fn change<T: CameraTable>(
    table: &mut T,
    keys: &TemplateKeys,
    id: i64,
    change: &KeptCameraChange,
) -> Result<KeptCamera, T::Fault> {
    let all = table.all()?;
    let row = all.iter().find(|row| row.id == id).ok_or(NO_CAMERA)?;
    let mut next = row.clone();
    if let Some((settings, only_at, reach)) = &change.settings {
        let only_at = only_at.clone().unwrap_or_default();
        let address = redacted(&settings.address);
        let group = row.camera_group.clone();
        if all.iter().any(|other| {
            other.id != id && (&other.camera_group, &other.address, &other.only_at) == (&group, &address, &only_at)
        }) {
            return Err(TAKEN_ADDRESS.into());
        }
        if let Some(name) = &settings.name {
            if is_taken(&all, name, Some(id)) {
                return Err(TAKEN_NAME.into());
            }
            next.name.clone_from(name);
        }
        if row.clone().opened(keys).address.known() != Some(settings.address.as_str()) {
            next.secret = secret(keys, id, &settings.address)?;
        }
        next = CameraRow { only_at, address, any_place: *reach == CameraReach::Anywhere, ..next };
        set_mounting(&mut next, settings);
    }
    next.paused = change.paused.unwrap_or(row.paused);
    if next != *row {
        (next.changed_at, next.changed_by) = (change.at, change.by.clone());
        table.update(&next)?;
    }
    Ok(next.opened(keys))
}

pub(super) fn pause<T: CameraTable>(
    table: &mut T,
    group: CameraGroup,
    key: Option<&CameraKey>,
    by: &str,
    at: Timestamp,
) -> Result<u64, T::Fault> {
    let is_meant = |row: &CameraRow| {
        row.camera_group == group.as_str()
            && key.is_none_or(|key| row.is(group, &key.name, key.only_at.as_deref().unwrap_or_default()))
    };
    let mut paused = 0;
    for row in table.all()?.into_iter().filter(|row| !row.paused && is_meant(row)) {
        table.update(&CameraRow { paused: true, changed_at: at, changed_by: by.to_owned(), ..row })?;
        paused += 1;
    }
    Ok(paused)
}

pub(super) fn remove<T: CameraTable>(table: &mut T, keys: &TemplateKeys, id: i64) -> Result<KeptCamera, T::Fault> {
    let row = table.all()?.into_iter().find(|row| row.id == id).ok_or(NO_CAMERA)?;
    table.delete(id)?;
    Ok(row.opened(keys))
}

/// The cameras in the order of a list.
pub(super) fn in_order(rows: Vec<CameraRow>, keys: &TemplateKeys) -> Vec<KeptCamera> {
    let mut rows: Vec<_> = rows.into_iter().map(|row| (row.name_key(), row)).collect();
    rows.sort_by(|(one, _), (two, _)| one.cmp(two));
    rows.into_iter().map(|(_, row)| row.opened(keys)).collect()
}

pub(super) fn forms(rows: &[CameraRow]) -> TemplateForms {
    let mut forms = TemplateForms::default();
    for secret in rows.iter().filter_map(|row| row.secret.as_deref()) {
        forms.add(form_of_text(secret));
    }
    forms
}

/// Brings every password into the form in which `keys` write.
pub(super) fn reseal<T: CameraTable>(table: &mut T, keys: &TemplateKeys) -> Result<Resealed, T::Fault> {
    let mut done = Resealed::default();
    for row in table.all()? {
        let Some(secret) = &row.secret else { continue };
        if form_of_text(secret) == keys.form() {
            done.unchanged += 1;
            continue;
        }
        match opened(keys, row.id, secret) {
            Ok(address) => {
                let secret = Some(keys.seal_text(&context(row.id), &address)?.into_owned());
                table.update(&CameraRow { secret, ..row })?;
                done.changed += 1;
            }
            Err(NotOpened::Damaged | NotOpened::Plain) => done.damaged.push(format!("cameras {}", row.id)),
            Err(refused) => return Err(Error::Store { reason: why_locked(&row.name, &refused), source: None }.into()),
        }
    }
    Ok(done)
}

fn add<T: CameraTable>(
    table: &mut T,
    keys: &TemplateKeys,
    all: &[CameraRow],
    new: &NewKeptCamera,
) -> Result<KeptCamera, T::Fault> {
    if all.len() >= limits::CAMERAS {
        let reason = format!("{} are kept already, which is the most: remove some", all.len());
        return Err(Error::invalid_input("cameras", reason).into());
    }
    let settings = &new.settings;
    let mut row = CameraRow {
        id: 0,
        name: free_name(all, settings),
        address: redacted(&settings.address),
        secret: None,
        only_at: new.only_at.clone().unwrap_or_default(),
        camera_group: new.group.as_str().to_owned(),
        location: None,
        turned: None,
        mirror: None,
        gate: None,
        any_place: new.reach == CameraReach::Anywhere,
        paused: new.paused,
        created_at: new.at,
        created_by: new.by.clone(),
        changed_at: new.at,
        changed_by: new.by.clone(),
    };
    set_mounting(&mut row, settings);
    row.id = table.insert(&row)?;
    row.secret = secret(keys, row.id, &settings.address)?;
    if row.secret.is_some() {
        table.update(&row)?;
    }
    Ok(row.opened(keys))
}

fn set_mounting(row: &mut CameraRow, settings: &CameraSettings) {
    row.location.clone_from(&settings.location);
    row.turned = settings.turned.map(|turned| turned.degrees().into());
    row.mirror = settings.mirror;
    row.gate = settings.gate.map(|gate| gate.as_str().to_owned());
}

fn is_taken(all: &[CameraRow], name: &str, but_for: Option<i64>) -> bool {
    let key = camera_key(name);
    all.iter().any(|row| Some(row.id) != but_for && row.name_key() == key)
}

/// A name that nobody has: the one that was given, the location, or the address, with a number where it is taken.
fn free_name(all: &[CameraRow], settings: &CameraSettings) -> String {
    let may_be_address = |text: &str| text.contains("://") || text.contains('@') && text.contains(':');
    let of_location = settings.location.as_deref().filter(|location| !is_blank(location) && !may_be_address(location));
    let address = redacted(&settings.address);
    let told = |text: &str| cut(text, limits::CAMERA_NAME).replace(char::is_control, " ");
    let first = settings.name.clone().or(of_location.map(told)).unwrap_or_else(|| told(&address));
    if !is_taken(all, &first, None) {
        return first;
    }
    let numbered = (2_u32..).map(|number| {
        let number = format!(" ({number})");
        format!("{}{number}", cut(&first, limits::CAMERA_NAME - number.len()))
    });
    numbered.into_iter().find(|name| !is_taken(all, name, None)).unwrap_or(first)
}

fn context(id: i64) -> SealContext {
    SealContext::new(FaceColumn::CameraSecret, id)
}

/// What is kept apart from the address that is shown: all of it where it holds what could be a password.
fn secret(keys: &TemplateKeys, id: i64, address: &str) -> Result<Option<String>> {
    if redacted(address) == address {
        return Ok(None);
    }
    Ok(Some(keys.seal_text(&context(id), address)?.into_owned()))
}

/// A plain password is good with keys too: it was kept before there was a key, and whoever can write the database may
/// change the address beside it as well.
fn opened(keys: &TemplateKeys, id: i64, secret: &str) -> Result<String, NotOpened> {
    match form_of_text(secret) {
        Form::Plain => Ok(secret.to_owned()),
        Form::Sealed(_) | Form::Broken => keys.open_text(&context(id), secret).map(std::borrow::Cow::into_owned),
    }
}

fn why_locked(name: &str, refused: &NotOpened) -> String {
    match refused {
        NotOpened::NoKey(key) => format!(
            "the password of the camera {name:?} is encrypted with the key {key}, which was not given: start with a \
             key file that holds it (--template-key-file FILE), or type the password again"
        ),
        NotOpened::NoCipher => {
            format!("the password of the camera {name:?} is encrypted, and this build cannot open it")
        }
        NotOpened::Damaged | NotOpened::Plain => {
            format!("the password of the camera {name:?} cannot be read any more: type it again")
        }
    }
}
