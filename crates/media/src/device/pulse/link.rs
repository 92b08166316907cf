//! A connection to the sound server on which questions are asked one after the other.

use std::ffi::CString;
use std::io::{BufReader, Read};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use pulseaudio::protocol::{
    self, AuthParams, AuthReply, Command, Prop, Props, ProtocolError, PulseError,
    SetClientNameReply, TagStructRead, TagStructReader,
};

/// How long the server may take to answer.
const PATIENCE: Duration = Duration::from_secs(3);

/// The longest answer that is read, in bytes; lists of devices may be long.
const LONGEST: u32 = 4 * 1024 * 1024;

/// Bytes of the secret that lets in.
const COOKIE: usize = 256;

/// `PA_COMMAND_ERROR` and `PA_COMMAND_REPLY`.
const ERROR: u32 = 0;
const REPLY: u32 = 2;

/// A connection that let us in.
pub(in crate::device) struct Link {
    reader: BufReader<UnixStream>,
    version: u16,
    asked: u32,
}

/// The answer of a server that has nothing to say.
pub(in crate::device) struct Done;

impl TagStructRead for Done {
    fn read(_: &mut TagStructReader<'_>, _: u16) -> Result<Self, ProtocolError> {
        Ok(Self)
    }
}

impl Link {
    /// Opens one.
    ///
    /// # Errors
    /// There is no server, or it does not let us in; in words.
    pub(in crate::device) fn open() -> Result<Self, String> {
        let mut last = "the sound server of this computer does not run".to_owned();
        for path in sockets() {
            let Ok(socket) = UnixStream::connect(path) else { continue };
            match Self::greet(socket) {
                Ok(link) => return Ok(link),
                Err(why) => last = why,
            }
        }
        Err(last)
    }

    fn greet(socket: UnixStream) -> Result<Self, String> {
        let text = |error: std::io::Error| error.to_string();
        socket.set_read_timeout(Some(PATIENCE)).map_err(text)?;
        socket.set_write_timeout(Some(PATIENCE)).map_err(text)?;
        let ours = protocol::MAX_VERSION;
        let mut link = Self { reader: BufReader::new(socket), version: ours, asked: 0 };
        let hello = AuthParams {
            version: ours,
            supports_shm: false,
            supports_memfd: false,
            cookie: cookie(),
        };
        let theirs: AuthReply = link.ask(&Command::Auth(hello))?;
        if theirs.version < protocol::MIN_VERSION {
            return Err("the sound server is too old".to_owned());
        }
        link.version = ours.min(theirs.version);
        let mut props = Props::new();
        props.set(Prop::ApplicationName, c"Offhook");
        if let Ok(own) = CString::new(std::process::id().to_string()) {
            props.set(Prop::ApplicationProcessId, own);
        }
        let _: SetClientNameReply = link.ask(&Command::SetClientName(props))?;
        Ok(link)
    }

    /// Asks, and waits for the answer; what else comes meanwhile is passed over.
    ///
    /// # Errors
    /// In words: it is refused, the answer is not understood, or none comes.
    pub(in crate::device) fn ask<R: TagStructRead>(
        &mut self,
        command: &Command,
    ) -> Result<R, String> {
        let number = self.asked;
        self.asked += 1;
        let socket = self.reader.get_mut();
        protocol::write_command_message(socket, number, command, self.version)
            .map_err(|error| words(&error))?;
        loop {
            let head =
                protocol::read_descriptor(&mut self.reader).map_err(|error| words(&error))?;
            if head.length > LONGEST {
                return Err("the sound server is not understood".to_owned());
            }
            let mut body = vec![0; head.length as usize];
            self.reader.read_exact(&mut body).map_err(|error| words(&error.into()))?;
            if head.channel == u32::MAX
                && let Some(answer) = answer(&body, number, self.version)
            {
                return answer.map_err(|error| words(&error));
            }
        }
    }

    /// Gives up asking: the socket, and the version of the protocol that is spoken on it. Nothing that
    /// was read is lost when the last answer was the last word of the server.
    ///
    /// # Errors
    /// The server said more already, or the socket takes no settings.
    pub(in crate::device) fn into_parts(self) -> Result<(BufReader<UnixStream>, u16), String> {
        let text = |error: std::io::Error| error.to_string();
        let socket = self.reader.get_ref();
        socket.set_read_timeout(None).map_err(text)?;
        Ok((self.reader, self.version))
    }
}

/// What a message says to this question; nothing when it is about something else.
fn answer<R: TagStructRead>(
    mut body: &[u8],
    number: u32,
    version: u16,
) -> Option<Result<R, ProtocolError>> {
    let mut tags = TagStructReader::new(&mut body, version);
    let (what, to) = (tags.read_u32().ok()?, tags.read_u32().ok()?);
    match what {
        _ if to != number => None,
        REPLY => Some(tags.read()),
        ERROR => Some(Err(match tags.read_enum::<PulseError>() {
            Ok(error) => ProtocolError::ServerError(error),
            Err(error) => error,
        })),
        _ => None,
    }
}

/// What is wrong, and what helps.
fn words(error: &ProtocolError) -> String {
    let words = match error {
        ProtocolError::ServerError(PulseError::AccessDenied | PulseError::AuthKey) => {
            "the sound server does not let this program in (its cookie is another one)"
        }
        ProtocolError::ServerError(PulseError::NoEntity) => "it is not connected any more",
        ProtocolError::ServerError(PulseError::Busy) => {
            "another program has it for itself; end that program"
        }
        ProtocolError::ServerError(PulseError::BadState) => "the sound server has suspended it",
        ProtocolError::ServerError(error) => return format!("the sound server says: {error}"),
        ProtocolError::Io(_) | ProtocolError::Timeout => "the sound server does not answer",
        ProtocolError::UnsupportedVersion(_)
        | ProtocolError::UnexpectedCommand(_)
        | ProtocolError::Invalid(_)
        | ProtocolError::Unimplemented(..) => "the sound server is not understood",
    };
    words.to_owned()
}

/// Where a server may listen, in the order in which its own clients look. Servers on other machines are
/// not asked: their sound would be late.
fn sockets() -> Vec<PathBuf> {
    let folder = |name| std::env::var_os(name).map(PathBuf::from);
    if let Some(named) = std::env::var_os("PULSE_SERVER").filter(|named| !named.is_empty()) {
        return named_sockets(&named.to_string_lossy());
    }
    let own = folder("PULSE_RUNTIME_PATH").map(|path| path.join("native"));
    let session = folder("XDG_RUNTIME_DIR").map(|path| path.join("pulse/native"));
    own.into_iter().chain(session).chain([PathBuf::from("/var/run/pulse/native")]).collect()
}

/// The local ones of `PULSE_SERVER`: several with spaces in between, each a path or `unix:` and a path,
/// after the name of a machine in braces where it counts on one only.
fn named_sockets(named: &str) -> Vec<PathBuf> {
    let local = |server: &str| {
        let place = match server.strip_prefix('{') {
            Some(rest) => rest.split_once('}')?.1,
            None => server,
        };
        let path = place.strip_prefix("unix:").unwrap_or(place);
        path.starts_with('/').then(|| PathBuf::from(path))
    };
    named.split_whitespace().filter_map(local).collect()
}

/// The secret that lets in. Without one zeros are shown, since the length is part of the protocol: the
/// server knows its own user without it.
fn cookie() -> Vec<u8> {
    let named = std::env::var_os("PULSE_COOKIE").map(PathBuf::from);
    let settings = std::env::var_os("XDG_CONFIG_HOME").map(PathBuf::from);
    let home = std::env::home_dir();
    let places = [
        named,
        settings.map(|folder| folder.join("pulse/cookie")),
        home.as_ref().map(|home| home.join(".config/pulse/cookie")),
        home.map(|home| home.join(".pulse-cookie")),
    ];
    let found = places.into_iter().flatten().find_map(|path| std::fs::read(path).ok());
    let mut cookie = found.unwrap_or_default();
    cookie.resize(COOKIE, 0);
    cookie
}

#[cfg(test)]
mod tests {
    use super::named_sockets;
    use std::path::PathBuf;

    #[test]
    fn servers_are_named_in_all_ways_and_those_elsewhere_are_left_alone() {
        for (named, expected) in [
            ("unix:/run/pulse/native", vec!["/run/pulse/native"]),
            ("/run/pulse/native", vec!["/run/pulse/native"]),
            ("{3fe1}unix:/a tcp:elsewhere /b", vec!["/a", "/b"]),
            ("tcp:127.0.0.1:4713", vec![]),
            ("{3fe1", vec![]),
        ] {
            let expected: Vec<_> = expected.into_iter().map(PathBuf::from).collect();
            assert_eq!(named_sockets(named), expected, "{named}");
        }
    }
}
