//! Which way a file takes, and what policy refuses.

use offhook_model::{ChatPolicy, file_ending};

use crate::{Servers, sentence};

/// What a program of the receiver can take files by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ability {
    /// Jingle over SOCKS5.
    pub(crate) jingle_socks: bool,
    /// Jingle in band.
    pub(crate) jingle_in_band: bool,
    /// Stream initiation over SOCKS5.
    pub(crate) socks: bool,
    /// Stream initiation in band.
    pub(crate) in_band: bool,
}

impl Ability {
    pub(crate) fn jingle(self) -> bool {
        self.jingle_socks || self.jingle_in_band
    }

    pub(crate) fn initiation(self) -> bool {
        self.socks || self.in_band
    }
}

/// The way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// Over the server.
    Upload,
    /// Between the two programs, if theirs can.
    Peer,
}

/// What the choice is made by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) room: bool,
    pub(crate) size: u64,
    pub(crate) servers: &'a Servers,
    pub(crate) policy: &'a ChatPolicy,
    /// A program of theirs is signed in, as far as we see.
    pub(crate) there: bool,
}

/// Decides: the server where it takes the file, else between the programs where that is allowed.
///
/// # Errors
/// Why it cannot be sent and what to do.
pub(crate) fn choose(asked: Asked<'_>) -> Result<Way, String> {
    let too_small = match &asked.servers.upload {
        None => None,
        Some((_, largest)) => match largest {
            Some(largest) if asked.size > *largest => Some(*largest),
            Some(_) | None => return Ok(Way::Upload),
        },
    };
    let no_upload = |words: &str| too_small.map_or(words.to_owned(), sentence::server_too_small);
    if asked.room {
        return Err(no_upload(sentence::ROOM));
    }
    if asked.policy.managed_files_only {
        return Err(no_upload(sentence::OUTSIDE));
    }
    if asked.there { Ok(Way::Peer) } else { Err(no_upload(sentence::NOBODY)) }
}

/// Why policy refuses a file of this name and size, if it does.
pub(crate) fn refusal(policy: &ChatPolicy, name: &str, size: Option<u64>) -> Option<String> {
    if !policy.files {
        return Some(sentence::OFF.to_owned());
    }
    // Every ending counts: `a.exe.txt` is harmless, but `a.txt.exe` is not, and the last decides
    // what the system does with it.
    let ending = file_ending(name).filter(|it| policy.refused_endings.contains(it));
    if let Some(ending) = ending {
        return Some(sentence::ending(&ending));
    }
    let largest = policy.largest_file.filter(|largest| size.is_some_and(|it| it > *largest));
    largest.map(sentence::too_large)
}

#[cfg(test)]
mod tests {
    use offhook_model::ChatPolicy;

    use super::{Asked, Way, choose, refusal};
    use crate::{Servers, sentence};

    #[test]
    fn each_case_has_its_way_or_its_sentence() {
        let upload = |largest| Servers {
            upload: Some(("up.example.com".parse().expect("valid"), largest)),
            proxy: None,
        };
        let (none, any, small) = (Servers::default(), upload(None), upload(Some(10)));
        let small_words = sentence::server_too_small(10);
        let (inside, outside) =
            (ChatPolicy::default(), ChatPolicy { managed_files_only: true, ..Default::default() });
        // room, size, servers, through the edge, the person is there; what comes of it
        type Row<'a> = (bool, u64, &'a Servers, bool, bool, Result<Way, &'a str>);
        let table: [Row<'_>; 12] = [
            (false, 11, &any, false, true, Ok(Way::Upload)),
            (false, 11, &any, false, false, Ok(Way::Upload)),
            (true, 11, &any, true, false, Ok(Way::Upload)),
            (false, 10, &small, true, false, Ok(Way::Upload)),
            (false, 11, &small, false, true, Ok(Way::Peer)),
            (false, 11, &small, false, false, Err(&small_words)),
            (false, 11, &small, true, true, Err(&small_words)),
            (true, 11, &small, false, true, Err(&small_words)),
            (false, 11, &none, false, true, Ok(Way::Peer)),
            (false, 11, &none, false, false, Err(sentence::NOBODY)),
            (false, 11, &none, true, true, Err(sentence::OUTSIDE)),
            (true, 11, &none, false, true, Err(sentence::ROOM)),
        ];
        for (room, size, servers, edge, there, wanted) in table {
            let policy = if edge { &outside } else { &inside };
            let came = choose(Asked { room, size, servers, policy, there });
            assert_eq!(came, wanted.map_err(str::to_owned), "{room} {size} {edge} {there}");
        }
    }

    #[test]
    fn policy_refuses_by_switch_ending_and_size_and_names_the_administrator() {
        let policy = ChatPolicy {
            refused_endings: vec!["exe".into()],
            largest_file: Some(2_000_000),
            ..ChatPolicy::default()
        };
        assert_eq!(refusal(&policy, "a.exe.txt", Some(1)), None);
        for (name, size) in [("a.txt.EXE", 1), ("a.txt", 2_000_001)] {
            let words = refusal(&policy, name, Some(size)).expect("refused");
            assert!(words.contains("administrator"), "{words}");
        }
        let off = ChatPolicy { files: false, ..ChatPolicy::default() };
        assert_eq!(refusal(&off, "a", None).as_deref(), Some(sentence::OFF));
    }
}
