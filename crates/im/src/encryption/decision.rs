//! Whether a message is encrypted from client to client, and what counts when it cannot be: the
//! vendor's table of two policies (planning guide, Client-to-Client Encryption), and the user's word
//! where no administrator decided.
//!
//! | policy | other side can | other side cannot |
//! |---|---|---|
//! | off | in clear | in clear |
//! | optional | encrypted; clear is taken | in clear; clear is taken |
//! | required | encrypted | nothing goes out, nothing is taken, and both is said |
//!
//! The guide has for *optional* and an unable side that encrypted messages are sent. There is no key
//! to encrypt for then, and its own words on the second policy say that such clients are written to
//! without encryption; that is what is done.
//! Group chats are never encrypted (the note below that table).

use offhook_model::EncryptionPolicy;

/// The user's word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    /// Nothing was said, or no.
    No,
    /// A setting for all conversations: where the other side can.
    WherePossible,
    /// This conversation was switched: not in clear without another word.
    Always,
}

/// What counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Decision {
    /// Messages go out encrypted.
    pub(crate) encrypt: bool,
    /// Where they do not, they may go out in clear.
    pub(crate) may_send_plain: bool,
    /// A message that came in clear is shown.
    pub(crate) accept_plain: bool,
    /// The user may change it.
    pub(crate) changeable: bool,
    /// Why, where that is worth saying.
    pub(crate) sentence: Option<&'static str>,
}

/// Shown on a message that was not sent, and in place of one that was not taken.
pub(crate) const REQUIRED: &str = "Your administrator allows only encrypted messages here, and this \
     person has no device with keys. Nothing was exchanged; reach the person another way, or ask the \
     administrator.";
const ROOM: &str = "Group chats are not encrypted from client to client.";
const OFF: &str = "Your administrator has turned encryption from client to client off.";
const CLEAR: &str = "This person has no device with keys, so messages go in clear.";
const CHOSEN: &str = "You chose encryption here, and this person has no device with keys. Turn it off \
     for this conversation to write in clear.";
const UNABLE: &str = "Keys cannot be made or kept on this computer, so nothing is encrypted.";
const UNABLE_REQUIRED: &str = "Your administrator allows only encrypted messages here, and keys cannot \
     be made or kept on this computer.";

/// Decides. `theirs`: a device of the other side has keys. `ours`: this device has, or can make them.
pub(crate) fn decide(
    policy: EncryptionPolicy,
    choice: Choice,
    theirs: bool,
    room: bool,
    ours: bool,
) -> Decision {
    let changeable = policy == EncryptionPolicy::ByUser && !room;
    let plain = |sentence| Decision {
        encrypt: false,
        may_send_plain: true,
        accept_plain: true,
        changeable,
        sentence,
    };
    let sealed = |accept_plain| Decision {
        encrypt: true,
        may_send_plain: false,
        accept_plain,
        changeable,
        sentence: None,
    };
    let refused = |accept_plain, sentence| Decision {
        encrypt: false,
        may_send_plain: false,
        accept_plain,
        changeable,
        sentence: Some(sentence),
    };
    if room {
        return plain((policy != EncryptionPolicy::Off).then_some(ROOM));
    }
    match (policy, choice) {
        (EncryptionPolicy::Off, _) => plain(Some(OFF)),
        (EncryptionPolicy::Required, _) if !ours => refused(false, UNABLE_REQUIRED),
        (EncryptionPolicy::Required, _) if theirs => sealed(false),
        (EncryptionPolicy::Required, _) => refused(false, REQUIRED),
        (EncryptionPolicy::ByUser, Choice::No) => plain(None),
        (EncryptionPolicy::ByUser, Choice::Always) if !ours => refused(true, UNABLE),
        (EncryptionPolicy::ByUser, Choice::Always) if !theirs => refused(true, CHOSEN),
        (EncryptionPolicy::Optional | EncryptionPolicy::ByUser, _) if !ours => plain(Some(UNABLE)),
        (EncryptionPolicy::Optional | EncryptionPolicy::ByUser, _) if !theirs => plain(Some(CLEAR)),
        (EncryptionPolicy::Optional | EncryptionPolicy::ByUser, _) => sealed(true),
    }
}

#[cfg(test)]
mod tests {
    use offhook_model::EncryptionPolicy::{ByUser, Off, Optional, Required};

    use super::{Choice, REQUIRED, decide};

    const CHOICES: [Choice; 3] = [Choice::No, Choice::WherePossible, Choice::Always];

    /// Cell by cell: policy, the other side can; encrypted, may go in clear, clear is taken.
    #[test]
    fn the_table_of_the_two_policies() {
        let table = [
            (Off, true, [false, true, true]),
            (Off, false, [false, true, true]),
            (Optional, true, [true, false, true]),
            (Optional, false, [false, true, true]),
            (Required, true, [true, false, false]),
            (Required, false, [false, false, false]),
        ];
        for (policy, theirs, expected) in table {
            for choice in CHOICES {
                let it = decide(policy, choice, theirs, false, true);
                let got = [it.encrypt, it.may_send_plain, it.accept_plain];
                assert_eq!(got, expected, "{policy:?}, able: {theirs}");
                assert!(!it.changeable, "an administrator decided");
                let refused = policy == Required && !theirs;
                assert_eq!(it.sentence == Some(REQUIRED), refused, "{policy:?}, able: {theirs}");
            }
        }
    }

    #[test]
    fn without_a_policy_the_user_decides() {
        let table = [
            (Choice::No, true, [false, true]),
            (Choice::No, false, [false, true]),
            (Choice::WherePossible, true, [true, false]),
            (Choice::WherePossible, false, [false, true]),
            (Choice::Always, true, [true, false]),
            (Choice::Always, false, [false, false]),
        ];
        for (choice, theirs, expected) in table {
            let it = decide(ByUser, choice, theirs, false, true);
            assert_eq!([it.encrypt, it.may_send_plain], expected, "{choice:?}, able: {theirs}");
            assert!(it.accept_plain && it.changeable);
        }
    }

    #[test]
    fn group_chats_are_never_encrypted_and_never_refused() {
        for policy in [Off, Optional, Required, ByUser] {
            for choice in CHOICES {
                let it = decide(policy, choice, true, true, true);
                assert!(!it.encrypt && it.may_send_plain && it.accept_plain && !it.changeable);
            }
        }
    }

    #[test]
    fn a_computer_without_keys_says_so() {
        assert!(decide(Optional, Choice::No, true, false, false).may_send_plain);
        for it in [
            decide(Required, Choice::No, true, false, false),
            decide(ByUser, Choice::Always, true, false, false),
        ] {
            assert!(!it.encrypt && !it.may_send_plain && it.sentence.is_some());
        }
    }
}
