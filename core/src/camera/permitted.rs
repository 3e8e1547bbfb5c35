//! A source that is bound to an access: each time it is opened its host is resolved again, every address is checked,
//! and the connection goes to an address that was checked. A server that redirects to another host is refused.

use std::borrow::Cow;
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use super::access::{CameraAccess, is_camera_device};
use super::address::Address;
use super::frame_source::camera_error;
use super::http::{self, why_unreachable};
use super::source::{CameraSource, Kind};
use crate::error::Result;

/// How long a server may take to say whether it redirects. A camera in the same network takes milliseconds.
const ANSWERS_WITHIN: Duration = Duration::from_secs(2);
const NOT_PERMITTED: &str = "it is not there, or its place is not among those that may be opened";

impl CameraSource {
    /// Returns the source bound to this access: `None` for a host that is not among the hosts or has no address, and
    /// for a file that is not in the folders or is not there. Nothing tells the one from the other. Blocks while a name
    /// is resolved.
    #[must_use]
    pub fn permitted_by(&self, access: &Arc<CameraAccess>) -> Option<Self> {
        let kind = match self.kind() {
            Kind::Device(number) => Kind::Device(*number),
            Kind::DevicePath(path) if is_camera_device(path) => Kind::DevicePath(path.clone()),
            Kind::DevicePath(_) => return None,
            Kind::Url(url) => {
                access.reach(&Address::of(url)?)?;
                Kind::Url(url.clone())
            }
            Kind::File(path) => Kind::File(access.within_folders(path)?),
            Kind::Folder(path) => Kind::Folder(access.within_folders(path)?),
        };
        Some(Self::bound(kind, Arc::clone(access)))
    }

    /// Returns whether the host of a stream is an address, or is permitted by its name, so that no other address can
    /// take its place: servers that share cameras ask this, because each of them resolves names by itself.
    #[must_use]
    pub fn is_fixed_by(&self, access: &CameraAccess) -> bool {
        let Kind::Url(url) = self.kind() else { return true };
        Address::of(url).is_some_and(|address| access.is_fixed(&address))
    }

    /// Returns the source that is opened in place of this one: its host, or its file, is checked again, and the host is
    /// one of the addresses that were checked. A source that is bound to no access is opened itself.
    ///
    /// # Errors
    /// [`Error::Camera`](crate::Error::Camera) when it is permitted no longer, does not answer in time, or redirects.
    pub(super) fn to_open(&self, patience: Duration) -> Result<Cow<'_, Self>> {
        let Some(access) = self.access() else { return Ok(Cow::Borrowed(self)) };
        let refused = |reason| camera_error(self, reason);
        let kind = match self.kind() {
            Kind::Url(url) => {
                let reached = Address::of(url).and_then(|address| Some((access.reach(&address)?, address)));
                let (found, address) = reached.ok_or_else(|| refused(NOT_PERMITTED))?;
                let place = if let ([place], true) = (found.as_slice(), http::asks(url)) {
                    // Its reader asks once, sees each redirection, and says why there is no answer.
                    *place
                } else {
                    let (place, mut stream) = connected(&found, patience).map_err(refused)?;
                    if address.redirects(&mut stream, patience.min(ANSWERS_WITHIN)) {
                        return Err(refused("it redirects to another address"));
                    }
                    place
                };
                // Whoever permitted a name trusts it, and a server may tell its cameras apart by their names.
                Kind::Url(if access.names(&address) { url.clone() } else { address.at(place) })
            }
            Kind::File(path) => Kind::File(access.within_folders(path).ok_or_else(|| refused(NOT_PERMITTED))?),
            Kind::Folder(path) => Kind::Folder(access.within_folders(path).ok_or_else(|| refused(NOT_PERMITTED))?),
            Kind::Device(_) | Kind::DevicePath(_) => self.kind().clone(),
        };
        Ok(Cow::Owned(Self::of(kind)))
    }

    /// Returns the addresses of a stream's host that may be connected to; `None` without any.
    pub(super) fn places(&self) -> Option<Vec<SocketAddr>> {
        self.access()?.reach(&Address::of(self.address()?)?)
    }
}

/// Connects to the first of these places that answers; or why the last one does not.
fn connected(places: &[SocketAddr], patience: Duration) -> Result<(SocketAddr, TcpStream), &'static str> {
    let mut reason = "it does not answer";
    for place in places {
        match TcpStream::connect_timeout(place, patience) {
            Ok(stream) => return Ok((*place, stream)),
            Err(error) => reason = why_unreachable(&error),
        }
    }
    Err(reason)
}

#[cfg(test)]
mod tests;
