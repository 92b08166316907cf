//! The sound server of Linux: PulseAudio, or PipeWire where it speaks the same language.
//!
//! [`Server`] is asked for devices and streams. Each stream has a connection and a thread of its own,
//! which sleeps until the server sends sound or asks for it. Buffers are set here and not by a library,
//! since they are the delay of a call: see [`stream`].

pub mod feed;
mod link;
mod stream;

pub(super) use link::{Done, Link};
pub(crate) use stream::clock;
pub(super) use stream::{Stream, play, record};

use std::ffi::{CStr, CString};

use pulseaudio::protocol::{Command, ServerInfo, SinkInfo, SourceInfo};

use super::list::Row;

/// A sound server that answers.
pub(super) struct Server(Link);

/// A microphone or loudspeaker.
pub(super) struct Device {
    /// What people and settings call it.
    pub(super) row: Row,
    /// Its name at the server, to the byte.
    name: CString,
    /// It hears what a loudspeaker plays, and is no microphone.
    pub(super) monitor: bool,
}

/// The ids of the system's microphone and loudspeaker.
pub(super) type Defaults = [Option<String>; 2];

impl Server {
    /// Looks for one.
    ///
    /// # Errors
    /// In words.
    pub(super) fn find() -> Result<Self, String> {
        Link::open().map(Self)
    }

    /// All devices, microphones after loudspeakers, and which of them the system prefers.
    ///
    /// # Errors
    /// In words: the server is gone.
    pub(super) fn devices(&mut self) -> Result<(Vec<Device>, Defaults), String> {
        let Self(link) = self;
        let sinks: Vec<SinkInfo> = link.ask(&Command::GetSinkInfoList)?;
        let sources: Vec<SourceInfo> = link.ask(&Command::GetSourceInfoList)?;
        let info: ServerInfo = link.ask(&Command::GetServerInfo)?;
        let sinks = sinks.into_iter().map(|it| Device::new(it.name, it.description, false, false));
        let sources = sources.into_iter().map(|it| {
            let monitor = it.monitor_of_sink_index.is_some();
            Device::new(it.name, it.description, true, monitor)
        });
        let id = |name: Option<CString>| name.as_deref().map(text);
        let defaults = [id(info.default_source_name), id(info.default_sink_name)];
        Ok((sinks.chain(sources).collect(), defaults))
    }
}

impl Device {
    fn new(id: CString, description: Option<CString>, input: bool, monitor: bool) -> Self {
        let name = text(description.as_deref().unwrap_or(&id));
        let row = Row { name, id: text(&id), input, output: !input };
        Self { row, name: id, monitor }
    }
}

fn text(name: &CStr) -> String {
    name.to_string_lossy().into_owned()
}
