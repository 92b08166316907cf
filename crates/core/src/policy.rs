//! What administrators decided about chat, out of the layers of settings, and how messages are kept
//! by it.

use std::sync::Arc;

use offhook_config::Layers;
use offhook_model::{Authenticator, ChatPolicy, EncryptionPolicy, Layer, Moment, Settings, Via};
use offhook_ports::{KeepingPlan, StoreRequest};

use crate::Core;

/// The policy, and what it was made of.
#[derive(Debug, Default)]
pub(crate) struct PolicySide {
    pub(crate) current: Arc<ChatPolicy>,
    /// What administrators set about the marking of packets (`EnableDSCPPacketMarking`).
    marking: Option<bool>,
    made_of: Option<Origin>,
    /// Whose history is open, and how it is kept.
    open: Option<(String, KeepingPlan)>,
}

#[derive(Clone, Debug)]
struct Origin {
    layers: Arc<Vec<Layer>>,
    settings: Arc<Settings>,
    via: Option<Via>,
    authenticator: Option<Authenticator>,
}

impl Origin {
    fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.layers, &other.layers)
            && Arc::ptr_eq(&self.settings, &other.settings)
            && self.via == other.via
            && self.authenticator == other.authenticator
    }
}

impl Core {
    /// Makes the policy anew when what it is made of has changed, and passes it on.
    pub(crate) fn follow_policy(&mut self, now: Moment) {
        let origin = Origin {
            layers: Arc::clone(self.memory.layers()),
            settings: Arc::clone(&self.settings),
            via: self.session.via,
            authenticator: self.session.authenticator,
        };
        if self.policy.made_of.as_ref().is_some_and(|before| before.is(&origin)) {
            return;
        }
        let layers = Layers::new(origin.layers.iter().cloned());
        let policy = policy(&layers, origin.via, origin.authenticator);
        self.policy.marking = set_flag(&layers, "EnableDSCPPacketMarking");
        self.policy.made_of = Some(origin);
        if policy != *self.policy.current {
            self.policy.current = Arc::new(policy);
        }
        self.configure_chat(now);
        let marks = self.marks_packets();
        self.with_phone(|phone| phone.mark_packets(marks));
        if let Some((account, plan)) = self.policy.open.take() {
            let wanted = self.keeping_plan();
            if wanted != plan {
                self.store(StoreRequest::Open(account.clone(), wanted.clone()));
            }
            self.policy.open = Some((account, wanted));
        }
    }

    /// Whether packets of calls are marked: the administrator's word goes before the user's.
    pub(crate) fn marks_packets(&self) -> bool {
        let user = self.settings.calls.differentiated_service;
        self.policy.marking.or(user).unwrap_or(true)
    }

    /// The chat machine learns what counts.
    pub(crate) fn configure_chat(&mut self, now: Moment) {
        let policy = Arc::clone(&self.policy.current);
        if let Some(im) = &mut self.chat.im {
            im.configure(policy, self.settings.chat.clone(), now);
        }
        self.configure_files();
    }

    /// Opens the account's history as policy and user have it.
    pub(crate) fn open_kept(&mut self, account: String) {
        let plan = self.keeping_plan();
        self.store(StoreRequest::Open(account.clone(), plan.clone()));
        self.policy.open = Some((account, plan));
    }

    /// The account's history is closed.
    pub(crate) fn closed_kept(&mut self) {
        self.policy.open = None;
    }

    /// The administrator's word goes before the user's; of two retentions the shorter counts.
    fn keeping_plan(&self) -> KeepingPlan {
        let (policy, user) = (&self.policy.current, &self.settings.chat);
        let days = [policy.retention_days, user.retention_days];
        KeepingPlan {
            history: policy.history,
            retention_days: days.into_iter().filter(|days| *days > 0).min().unwrap_or(0),
            archive_folder: policy
                .archive_folder
                .as_ref()
                .map(Into::into)
                .or_else(|| user.archive_folder.clone()),
        }
    }
}

fn policy(layers: &Layers, via: Option<Via>, authenticator: Option<Authenticator>) -> ChatPolicy {
    let vendor = match authenticator {
        Some(Authenticator::Cup | Authenticator::Cucm | Authenticator::Webex) => true,
        Some(Authenticator::Standard) | None => false,
    };
    let text = |key: &str| layers.text(key).filter(|it| !it.is_empty()).map(str::to_owned);
    let ending = |it: &str| it.trim_start_matches(['*', '.']).to_ascii_lowercase();
    let minutes = layers.number("Set_Status_Inactive_Timeout").and_then(|it| it.try_into().ok());
    ChatPolicy {
        history: !layers.flag("Disable_IM_History"),
        retention_days: 0,
        archive_folder: text("AutosaveChatsLocation"),
        files: layers.flag("File_Transfer_Enabled"),
        captures: layers.flag("Screen_Capture_Enabled"),
        refused_endings: layers
            .list("Disallowed_File_Transfer_Types")
            .into_iter()
            .map(ending)
            .collect(),
        largest_file: None,
        managed_files_only: via == Some(Via::Edge),
        accept_files: layers.flag("AutoAcceptFileTransfer"),
        persistent_rooms: !vendor || layers.flag("Persistent_Chat_Enabled"),
        mentions: ["Mention_P2Pchat", "Mention_GroupChat", "Mention_PersistentChat"]
            .map(|key| layers.flag(key)),
        away_after_minutes: minutes.filter(|_| layers.flag("Set_Status_Away_On_Inactive")),
        away_when_locked: layers.flag("Set_Status_Away_On_Lock_OS"),
        server_sets_meetings: false,
        // Communications Manager tells the presence server of calls (reference im-presence.md
        // section 4); the cloud and plain servers do not.
        server_sets_calls: matches!(authenticator, Some(Authenticator::Cup | Authenticator::Cucm)),
        encryption: encryption(layers, authenticator),
        no_offline_messages: false,
        vendor,
    }
}

/// What a flag was set to; nothing where nobody set it.
fn set_flag(layers: &Layers, key: &str) -> Option<bool> {
    layers.setting(key).map(|_| layers.flag(key))
}

/// The two policies of the planning guide (Client-to-Client Encryption). It has no row for both
/// false; whoever forbids messages in clear is taken at that word.
fn encryption(layers: &Layers, authenticator: Option<Authenticator>) -> EncryptionPolicy {
    let set = |key: &str| set_flag(layers, key);
    match (set("Support_AES_Encoding_For_IM"), set("Support_No_Encoding_For_IM")) {
        (_, Some(false)) => EncryptionPolicy::Required,
        (Some(true), _) => EncryptionPolicy::Optional,
        (Some(false), _) => EncryptionPolicy::Off,
        // Without a policy the vendor's cloud does not encrypt between clients.
        (None, _) if authenticator == Some(Authenticator::Webex) => EncryptionPolicy::Off,
        (None, _) => EncryptionPolicy::ByUser,
    }
}

#[cfg(test)]
mod tests {
    use offhook_config::Layers;
    use offhook_model::{Authenticator, EncryptionPolicy, Layer, Setting, Source};

    use super::encryption;

    #[test]
    fn the_two_policies_of_the_guide_become_one() {
        let (aes, plain) = ("Support_AES_Encoding_For_IM", "Support_No_Encoding_For_IM");
        for (settings, expected) in [
            (vec![(aes, "false"), (plain, "true")], EncryptionPolicy::Off),
            (vec![(aes, "true"), (plain, "true")], EncryptionPolicy::Optional),
            (vec![(aes, "true"), (plain, "false")], EncryptionPolicy::Required),
            (vec![(aes, "false"), (plain, "false")], EncryptionPolicy::Required),
            (vec![(aes, "true")], EncryptionPolicy::Optional),
            (vec![], EncryptionPolicy::Off),
        ] {
            let mut layer = Layer {
                source: Source::Cloud,
                origin: "test".to_owned(),
                settings: Vec::new(),
                oddities: Vec::new(),
            };
            for (key, value) in settings {
                let (key, value) = (key.to_owned(), value.to_owned());
                layer.settings.push(Setting { key, section: None, value, line: None });
            }
            let layers = Layers::new([layer]);
            assert_eq!(encryption(&layers, Some(Authenticator::Webex)), expected);
        }
        let none = Layers::new([]);
        assert_eq!(encryption(&none, Some(Authenticator::Cucm)), EncryptionPolicy::ByUser);
        assert_eq!(encryption(&none, None), EncryptionPolicy::ByUser);
    }
}
