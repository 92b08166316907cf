//! The device list of Communications Manager 8.x and before (reference device-config.md section 4).

use crate::soap::Answered;
use crate::xml::{XmlError, parse};

/// At most so many devices of one user are kept.
const MOST: usize = 256;

/// One entry of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CcmcipDevice {
    /// Device name such as `CSFALICE`.
    pub name: String,
    /// Model in words; only the model decides what a device is for.
    pub model: String,
}

/// Reads the answer of the personalization service. Old servers answer a refused password with
/// status 200 and a web page that speaks of "HTTP Status 401"; that is a refusal.
///
/// # Errors
/// Broken XML, another document, or a device without its name, description or model.
pub fn read_device_list(data: &[u8]) -> Result<Answered<Vec<CcmcipDevice>>, XmlError> {
    let document = match parse(data) {
        Ok(document) => document,
        Err(_) if says_unauthorised(data) => return Ok(Answered::Refused(None)),
        Err(error) => return Err(error),
    };
    let Some(list) = document.root.find("devices") else {
        // The page of 8.5 is well-formed.
        if says_unauthorised(data) {
            return Ok(Answered::Refused(None));
        }
        return Err(XmlError::Missing("it is no list of devices"));
    };
    let mut devices = vec![];
    for device in list.children_named("device").take(MOST) {
        let whole = XmlError::Missing("a device has no name, description or model");
        let (Some(name), Some(model)) = (device.text_at(&["name"]), device.text_at(&["model"]))
        else {
            return Err(whole);
        };
        // A description may be empty, but it must be there.
        if device.child("description").is_none() {
            return Err(whole);
        }
        devices.push(CcmcipDevice { name: name.to_owned(), model: model.to_owned() });
    }
    Ok(Answered::Success(devices))
}

fn says_unauthorised(data: &[u8]) -> bool {
    let text = String::from_utf8_lossy(data);
    text.find("HTTP Status").and_then(|at| text.get(at..)).is_some_and(|rest| rest.contains("401"))
}
