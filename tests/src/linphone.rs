//! linphonec: another phone that is not ours, spoken to by its standard input.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command};

use crate::running::Running;
use crate::{free_port, program, until};

/// A running phone that answers by itself.
pub struct Linphone {
    log: PathBuf,
    input: ChildStdin,
    // Ended when this is dropped.
    _running: Running,
}

impl Linphone {
    /// Registers this user at the server on this UDP port; `encryption` is `none` or `srtp`. It speaks
    /// PCMU and PCMA, without a sound card.
    ///
    /// # Panics
    /// It does not start or register.
    pub fn start(
        folder: &Path,
        (domain, server): (&str, u16),
        (user, password): (&str, &str),
        encryption: &str,
    ) -> Self {
        Self::start_with(folder, (domain, server), (user, password), encryption, "")
    }

    /// As [`Self::start`], with more lines of settings.
    ///
    /// # Panics
    /// It does not start or register.
    pub fn start_with(
        folder: &Path,
        (domain, server): (&str, u16),
        (user, password): (&str, &str),
        encryption: &str,
        more: &str,
    ) -> Self {
        let folder = folder.join(format!("linphone-{user}"));
        for sub in ["home/.local/share/linphone", "home/.config/linphone"] {
            std::fs::create_dir_all(folder.join(sub)).expect("a folder for the phone");
        }
        let (port, sound) = (free_port(), free_port());
        let settings = format!(
            "[sip]\nsip_port={port}\nsip_tcp_port=0\nsip_tls_port=0\n\
             media_encryption={encryption}\nmedia_encryption_mandatory=0\ndefault_proxy=0\n\
             guess_hostname=0\ncontact=\"{user}\" <sip:{user}@127.0.0.1>\n\
             register_only_when_network_is_up=0\nauto_net_state_mon=0\nuse_ipv6=0\n\
             [rtp]\naudio_rtp_port={sound}\n[video]\ncapture=0\ndisplay=0\n\
             [proxy_0]\nreg_proxy=<sip:127.0.0.1:{server};transport=udp>\n\
             reg_route=<sip:127.0.0.1:{server};transport=udp;lr>\n\
             reg_identity=sip:{user}@{domain}\nreg_expires=600\nreg_sendregister=1\npublish=0\n\
             [auth_info_0]\nusername={user}\nuserid={user}\npasswd={password}\nrealm={domain}\n\
             [audio_codec_0]\nmime=PCMU\nrate=8000\nenabled=1\n\
             [audio_codec_1]\nmime=PCMA\nrate=8000\nenabled=1\n{more}"
        );
        std::fs::write(folder.join("rc"), settings).expect("its settings");
        let mut command = Command::new(program("linphonec").expect("linphonec"));
        command.arg("-a").arg("-c").arg(folder.join("rc")).args(["-d", "1", "-l"]);
        command.arg(folder.join("log")).env("HOME", folder.join("home"));
        let mut running = Running::start_piped("linphone", &mut command, &folder);
        // Its words are of no use: it keeps them back while nobody looks. The log has all.
        drop(running.take_output());
        let input = running.take_input().expect("its ear");
        let mut phone = Self { log: folder.join("log"), input, _running: running };
        phone.until_said("[LinphoneRegistrationOk]", 0);
        phone.command("soundcard use files");
        phone
    }

    /// Types a line.
    ///
    /// # Panics
    /// It is gone.
    pub fn command(&mut self, line: &str) {
        writeln!(self.input, "{line}").expect("the phone reads commands");
    }

    /// How much it has said so far, to look only at what comes later.
    pub fn count(&self) -> usize {
        self.words().len()
    }

    /// Waits until it has said this after `since`.
    ///
    /// # Panics
    /// It does not.
    #[track_caller]
    pub fn until_said(&self, what: &str, since: usize) {
        until(&format!("linphone says {what}"), 30, || {
            self.words().get(since..).unwrap_or("").contains(what).then_some(())
        });
    }

    /// Everything it has logged.
    pub fn words(&self) -> String {
        let bytes = std::fs::read(&self.log).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}
